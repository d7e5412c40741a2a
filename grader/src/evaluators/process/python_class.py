"""Serves an evaluator class over the evaluator protocol: one job a line on stdin, events on stdout.

Run as: python_class.py <file.py> <class> <arguments as JSON> <names of private results as JSON, or true>

The class is constructed once, and its `_evaluate(client_payload, ...)` is called for each job. With "fresh", each job gets a
process of its own.
Requires Python 3.7 or newer, and only the standard library.
"""

import errno
import importlib.util
import inspect
import json
import os
import shutil
import sys
import tempfile
import traceback

# Errors of the evaluator's own code. A subclass of its own is a message to the participant.
OWN_ERRORS = (AttributeError, ImportError, KeyError, NameError, TypeError, ZeroDivisionError)
# The machine has run out of something.
MACHINE_ERRORS = tuple(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "EIO", "EROFS") if hasattr(errno, name)
)
# Files that are shown with a submission: the first that exists as its media, the others as artifacts.
MEDIA = ("media_video_path", "media_image_path", "media_video_thumb_path")


def take_streams():
    """Reserves stdin and stdout for the protocol. Prints of the class go to stderr, and it reads an empty stdin."""
    jobs = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, events


def load_class(path, name):
    path = os.path.abspath(path)
    # The folder of the class replaces this file's folder, so that the class can import the modules beside it.
    sys.path[0] = os.path.dirname(path)
    sys.argv = [path]
    module_name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def text_of_data(line):
    """Returns the submitted JSON value as the job has it: Python would round its decimals."""
    start = line.index(DATA) + len(DATA)
    return line[start : json.JSONDecoder().raw_decode(line, start)[1]]


# Not found in the texts before it, where double quotes are escaped.
DATA = '"input":{"data":'


def input_folder(job):
    """The folder of the submission. In a box it can only be read, so that a JSON value gets a folder of its own."""
    if "path" in job["input"]:
        path = job["input"]["path"]
        return path if os.path.isdir(path) else os.path.dirname(path)
    folder = os.path.join(os.path.dirname(job["output_dir"]), "input")
    if not os.path.isdir(folder):
        folder = os.path.join(tempfile.gettempdir(), "input")
        os.makedirs(folder, exist_ok=True)
    return folder


def client_payload(job, line):
    submission_id = job["id"]
    payload = {
        "function": job["function"],
        "round": job["round"],
        "dry_run": job["dry_run"],
        "output_dir": job["output_dir"],
        "code": job["code"],
        "small_test": job["function"] == "small_test",
        # Field names that existing evaluator classes use. The participant's identity is not revealed.
        "crowdai_submission_id": submission_id,
        "crowdai_participant_id": "",
        "aicrowd_submission_id": submission_id,
        "aicrowd_participant_id": "",
    }
    if "path" in job["input"]:
        # A folder where the challenge unpacks archives.
        path = job["input"]["path"]
        payload["submission_file_path"] = path
        payload["submission_dir_path"] = path if os.path.isdir(path) else os.path.dirname(path)
    else:
        path = os.path.join(input_folder(job), "data.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text_of_data(line))
        payload["submission_file_path"] = path
        payload["submission_dir_path"] = os.path.dirname(path)
        payload["data"] = job["input"]["data"]
    return payload


def call(evaluate, job, line):
    """Calls _evaluate with the payload, and passes the round and an empty context to parameters with such names."""
    positional, named = [client_payload(job, line)], {}
    for parameter in list(inspect.signature(evaluate).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if "context" in parameter.name:
            value = {}
        elif "round" in parameter.name:
            value = job["round"]
        elif parameter.default is not parameter.empty:
            continue
        else:
            raise SystemExit("_evaluate has a parameter that is neither a round nor a context: " + parameter.name)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[parameter.name] = value
    return evaluate(*positional, **named)


def plain(value):
    """Converts values that JSON cannot represent: numpy numbers and arrays to plain ones, anything else to text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if hasattr(value, "__float__"):
        return float(value)
    return str(value)


def with_plain_keys(value):
    """Converts the keys that JSON cannot represent, such as numpy numbers and tuples, which would be lost."""
    if isinstance(value, dict):
        return {plain_key(key): with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_plain_keys(item) for item in value]
    return value


def plain_key(key):
    return key if key is None or isinstance(key, (str, int, float)) else str(plain(key))


def is_own_fault(error, job):
    """Whether the evaluator or its machine, and not the submission, caused the exception."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
        return True
    if type(error).__module__ != "builtins":
        return False
    if isinstance(error, OSError):
        # Without a name, the class raised it with a message of its own.
        if not isinstance(error.filename, (str, bytes)):
            return False
        submitted = [input_folder(job), job["code"]]
        folders = tuple(os.path.join(os.path.realpath(folder), "") for folder in submitted if folder)
        return not os.path.join(os.path.realpath(os.fsdecode(error.filename)), "").startswith(folders)
    return isinstance(error, OWN_ERRORS)


def in_output(path, output_dir, name):
    """Copies a file that the class wrote elsewhere. Returns its path in output_dir; None when there is no such file."""
    if not os.path.isfile(path):
        return None
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(output_dir))
    if not inside.startswith(os.pardir):
        return inside
    copied = name + os.path.splitext(path)[1]
    shutil.copyfile(path, os.path.join(output_dir, copied))
    return copied


def take_media(rest, job):
    """Removes the paths of media from what the class returned. Returns the fields of the event that name the files."""
    paths = {key[:-5]: rest.pop(key) for key in MEDIA if key in rest}
    found = {}
    for name, path in paths.items():
        if isinstance(path, str) and path:
            found[name] = in_output(path, job["output_dir"], name)
            if found[name] is None:
                print("the class returned " + name + "_path, but there is no file " + path, file=sys.stderr)
    files = [{"path": path, "name": name + os.path.splitext(path)[1]} for name, path in found.items() if path]
    return {"media": {"path": files[0]["path"]}, "artifacts": files[1:]} if files else {}


def result_event(returned, job, private):
    """Everything that the class returns is shown to the participant, except `meta` and the names in `private`."""
    if not isinstance(returned, dict):
        raise SystemExit("_evaluate must return a dict, not " + type(returned).__name__)
    rest = json.loads(json.dumps(with_plain_keys(returned), default=plain, skipkeys=True))
    event = {"type": "result", "score": rest.pop("score", None)}
    first, second = rest.pop("score_secondary", None), rest.pop("secondary_score", None)
    event["score_secondary"] = second if first is None else first
    final = rest.pop("score_final", None)
    if final is not None:
        event["score_final"] = final
    event.update(take_media(rest, job))
    if isinstance(rest.get("problems"), list):
        # Of the function of a challenge's check.
        event["problems"] = [str(problem) for problem in rest.pop("problems")]
    meta = rest.pop("meta", None)
    meta = meta if isinstance(meta, dict) else {} if meta is None else {"meta": meta}
    for name in list(rest):
        if private is True or name in private:
            meta[name] = rest.pop(name)
    message = rest.pop("message", None)
    if message is not None:
        event["message"] = message if isinstance(message, str) else json.dumps(message)
    event["meta"] = meta
    event["data"] = rest or None
    return event


def main():
    path, name, arguments, private = sys.argv[1:5]
    jobs, events = take_streams()
    evaluator_class = load_class(path, name)
    arguments, private = json.loads(arguments), json.loads(private)
    evaluator = evaluator_class(**arguments) if isinstance(arguments, dict) else evaluator_class(*arguments)
    for line in jobs:
        job = json.loads(line)
        try:
            returned = call(evaluator._evaluate, job, line)
        except Exception as error:
            if is_own_fault(error, job):
                # Not the participant's fault: the process exits, and the grader sees why.
                raise
            traceback.print_exc()
            event = {"type": "error", "message": str(error) or type(error).__name__}
        else:
            event = result_event(returned, job, private)
        # Before the event, so that the log is complete when the job is done.
        sys.stdout.flush()
        sys.stderr.flush()
        event["id"] = job["id"]
        events.write(json.dumps(event) + "\n")
        events.flush()


main()
