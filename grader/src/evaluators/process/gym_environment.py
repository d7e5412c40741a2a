"""Serves a Gymnasium or gym environment over the environment protocol: one request a line on stdin, its answer on stdout.

Run as: gym_environment.py <file.py> <class or function>

The class or function is called without arguments when the session opens. Both APIs work: `reset` that returns (observation, info) or
an observation, seeds by `reset(seed=)` or `seed()`, and `step` that returns five values or four.
Requires Python 3.7 or newer, and only the standard library.
"""

import base64
import importlib.util
import inspect
import json
import math
import os
import random
import struct
import sys
import zlib

# Stands for an infinite bound, which JSON cannot represent.
INFINITE = 1e100


def take_streams():
    """Reserves stdin and stdout for the protocol. Prints of the environment go to stderr, and it reads an empty stdin."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def load(path, name):
    path = os.path.abspath(path)
    # The folder of the environment replaces this file's folder, so that it can import the modules beside it.
    sys.path[0] = os.path.dirname(path)
    sys.argv = [path]
    module_name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def plain(value):
    """Converts values that JSON cannot represent: numpy numbers and arrays to plain ones, anything else to text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, bytes):
        return list(value)
    if hasattr(value, "__float__"):
        return float(value)
    return str(value)


encode = json.JSONEncoder(default=plain, separators=(",", ":"), check_circular=False).encode


def to_json(value):
    try:
        return encode(value)
    except TypeError:
        return encode(with_plain_keys(value))


def with_plain_keys(value):
    """Converts the keys that JSON cannot represent, such as numpy numbers and tuples."""
    if isinstance(value, dict):
        return {str(plain(key) if hasattr(key, "tolist") else key): with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_plain_keys(item) for item in value]
    return value


def plain_info(value):
    """Converts additional information, where NaN and Infinity become null instead of a failure."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain_info(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_info(item) for item in value]
    return plain_info(plain(value))


def kind_of(space):
    """Returns the name of a space's class, or of one of its base classes that is known."""
    for base in type(space).__mro__:
        if base.__name__ in SPACES:
            return base.__name__
    return None


def bound(value):
    value = float(value)
    return max(-INFINITE, min(INFINITE, value))


def flat(value):
    value = plain(value) if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in flat(item)]
    return [value]


def size_of(shape):
    size = 1
    for length in shape:
        size *= length
    return size


def box(shape, low, high, dtype):
    shape = [int(length) for length in shape]
    low, high = [bound(one) for one in flat(low)], [bound(one) for one in flat(high)]
    size = size_of(shape)
    described = {
        "name": "Box",
        "shape": shape,
        "low": low * size if len(low) == 1 else low,
        "high": high * size if len(high) == 1 else high,
    }
    if dtype:
        described["dtype"] = dtype
    return described


def dtype_of(space):
    dtype = getattr(space, "dtype", None)
    return getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or ""


def describe_discrete(space):
    described = {"name": "Discrete", "n": int(space.n)}
    if getattr(space, "start", 0):
        described["start"] = int(space.start)
    return described


def describe_multi_discrete(space):
    nvec = plain(space.nvec) if hasattr(space.nvec, "tolist") else list(space.nvec)
    if any(isinstance(item, list) for item in nvec) or any(flat(getattr(space, "start", 0))):
        shape = getattr(space, "shape", None) or [len(nvec)]
        low = flat(getattr(space, "start", 0))
        high = [(low * len(flat(nvec)))[i] + n - 1 for i, n in enumerate(flat(nvec))]
        return box(shape, low, high, "int64")
    return {"name": "MultiDiscrete", "nvec": [int(n) for n in nvec]}


def describe_multi_binary(space):
    if isinstance(space.n, int) or not hasattr(space.n, "__len__"):
        return {"name": "MultiBinary", "n": int(space.n)}
    return box(space.n, 0, 1, "int8")


def describe_dict(space):
    return {"name": "Dict", "spaces": {str(name): describe(one) for name, one in space.spaces.items()}}


def describe_text(space):
    most = getattr(space, "max_length", None)
    return {"name": "Text"} if most is None else {"name": "Text", "max_length": int(most)}


SPACES = {
    "Discrete": describe_discrete,
    "Box": lambda space: box(space.shape, space.low, space.high, dtype_of(space)),
    "MultiDiscrete": describe_multi_discrete,
    "MultiBinary": describe_multi_binary,
    "Dict": describe_dict,
    "Tuple": lambda space: {"name": "Tuple", "spaces": [describe(one) for one in space.spaces]},
    "Text": describe_text,
}


def describe(space):
    """Returns a space in the form of gym-http-api. An environment without gym may have it in this form already."""
    if isinstance(space, dict) and "name" in space:
        return space
    kind = kind_of(space)
    return SPACES[kind](space) if kind else {"name": "Any"}


def caster(space):
    """Returns what turns an action from JSON into a member of the space, as the environment expects it."""
    kind = None if isinstance(space, dict) else kind_of(space)
    numpy = sys.modules.get("numpy")
    if kind in ("Box", "MultiDiscrete", "MultiBinary") and numpy is not None:
        dtype = getattr(space, "dtype", None)
        return lambda action: numpy.asarray(action, dtype=dtype)
    if kind == "Dict":
        casters = {name: caster(one) for name, one in space.spaces.items()}
        return lambda action: {name: cast(action[str(name)]) for name, cast in casters.items()}
    if kind == "Tuple":
        casts = [caster(one) for one in space.spaces]
        return lambda action: tuple(cast(item) for cast, item in zip(casts, action))
    return lambda action: action


def takes_seed(reset):
    """Whether a reset takes a seed; None when it passes on whatever it is given."""
    try:
        parameters = inspect.signature(reset).parameters
    except (TypeError, ValueError):
        return None
    if "seed" in parameters:
        return True
    passes_on = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return None if passes_on else False


def seeds_in_reset(environment):
    """Whether the environment is seeded by reset(seed=), as in Gymnasium. Wrappers may pass on what they are given."""
    while True:
        takes = takes_seed(environment.reset)
        inner = getattr(environment, "env", None)
        if takes is not None or inner is None or inner is environment:
            return takes is not False
        environment = inner


def png(image):
    """Encodes an image, a list or array of rows of RGB pixels."""
    if hasattr(image, "tobytes"):
        rows = [row.tobytes() for row in image]
        size = image.shape[:2]
    else:
        rows = [bytes(value for pixel in row for value in pixel) for row in image]
        size = len(rows), len(image[0])

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", size[1], size[0], 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


class Session:
    def __init__(self, make):
        self.make = make
        self.environment = None

    def with_frame(self, answer):
        """Adds what an environment draws that was made with render_mode="rgb_array"."""
        if self.draws:
            image = self.environment.render()
            if isinstance(image, (list, tuple)) and image and hasattr(image[0], "shape"):
                image = image[-1]
            if image is not None:
                answer["frame"] = base64.b64encode(png(image)).decode("ascii")
        return answer

    def open(self, request):
        self.environment = self.make()
        self.seeds_in_reset = seeds_in_reset(self.environment)
        actions = getattr(self.environment, "action_space", None)
        observations = getattr(self.environment, "observation_space", None)
        self.cast = caster(actions)
        # A Tuple space of two, whose second is a Dict, looks like an observation and its info.
        self.is_pair = kind_of(observations) == "Tuple" and len(observations.spaces) == 2
        self.draws = getattr(self.environment, "render_mode", None) == "rgb_array"
        answer = {"type": "spaces", "action": describe(actions), "observation": describe(observations)}
        rate = (getattr(self.environment, "metadata", None) or {}).get("render_fps")
        return dict(answer, frame_rate=max(1, min(120, float(rate)))) if rate else answer

    def reset(self, request):
        seed = request["seed"]
        # For environments that use the generators of the whole process.
        random.seed(seed)
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            numpy.random.seed(seed)
        if self.seeds_in_reset:
            returned = self.environment.reset(seed=seed)
        else:
            if callable(getattr(self.environment, "seed", None)):
                self.environment.seed(seed)
            returned = self.environment.reset()
        observation, info = returned, {}
        if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], dict):
            if not self.is_pair or isinstance(returned[0], tuple):
                observation, info = returned
        return self.with_frame({"type": "observation", "observation": observation, "info": plain_info(info)})

    def step(self, request):
        returned = self.environment.step(self.cast(request["action"]))
        if len(returned) == 5:
            observation, reward, terminated, truncated, info = returned
        else:
            observation, reward, done, info = returned
            truncated = bool(done) and bool((info or {}).get("TimeLimit.truncated", False))
            terminated = bool(done) and not truncated
        answer = {
            "type": "step",
            "observation": observation,
            "reward": float(reward),
            "terminated": bool(terminated),
            "truncated": bool(truncated),
            "info": plain_info(info) if info else {},
        }
        return self.with_frame(answer)

    def close(self, request):
        """An environment may have a result(output_dir) that returns fields of the result event, such as a video."""
        event = None
        if callable(getattr(self.environment, "result", None)):
            event = dict(self.environment.result(self.output_dir), type="result")
        if callable(getattr(self.environment, "close", None)):
            self.environment.close()
        return event


def main():
    path, name = sys.argv[1:3]
    requests, answers = take_streams()
    session = Session(load(path, name))
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        kind = request["type"]
        if kind == "open":
            session.output_dir = request["output_dir"]
        answer = getattr(session, kind)(request)
        if answer is not None:
            answer["id"] = request["id"]
            answers.write(to_json(answer).encode() + b"\n")
        if kind == "close":
            break
    sys.stdout.flush()
    sys.stderr.flush()


main()
