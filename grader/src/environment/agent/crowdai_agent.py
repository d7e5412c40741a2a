"""Connects an agent to its session on crowdAI. One file, which needs Python 3.7 and nothing else.

    from crowdai_agent import connect

    env = connect()
    observation = env.reset()
    while observation is not None:
        observation, reward, terminated, truncated, info = env.step(act(observation))
        if terminated or truncated:
            observation = env.reset()
    env.submit()

or, with a function that returns an action for an observation:

    from crowdai_agent import serve

    serve(act)
"""

import json
import os
import sys

__all__ = ["AgentError", "Env", "connect", "serve"]


class AgentError(Exception):
    """A request that the session refused, or a session that has ended. `code` says which."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Env:
    """A session: some episodes, one after another. Its methods are those of a Gymnasium environment, as far as they go."""

    def __init__(self, transport):
        self._transport = transport
        self._hello = None
        self._observation = None
        #: Information that came with the last reset.
        self.info = {}
        #: Milliseconds that are left of the bank; None where there is no bank.
        self.bank_ms = None
        self.episode = 0
        self.n = 0

    @property
    def hello(self):
        """What the session says of itself: spaces, episodes and limits."""
        if self._hello is None:
            self._hello = self._ask({"type": "hello"})
        return self._hello

    @property
    def spaces(self):
        return self.hello["spaces"]

    @property
    def action_space(self):
        return self.spaces["action"]

    @property
    def observation_space(self):
        return self.spaces["observation"]

    @property
    def episodes(self):
        return self.hello["episodes"]

    def reset(self):
        """Begins the next episode. Returns its first observation; None after the last episode."""
        answer = self._ask({"type": "reset", "episode": self.episode + 1})
        if answer["type"] == "end":
            return None
        self.episode, self.n = answer["episode"], 0
        self.info = answer["info"]
        return answer["observation"]

    def step(self, action):
        """Returns the observation, the reward, whether the episode terminated, whether it was truncated, and information."""
        request = {"type": "step", "episode": self.episode, "n": self.n + 1, "action": action}
        answer = self._ask(request)
        self.n = answer["n"]
        self.bank_ms = answer.get("bank_ms")
        return (
            answer["observation"],
            answer["reward"],
            answer["terminated"],
            answer["truncated"],
            answer["info"],
        )

    def submit(self):
        """Ends the session, when all episodes are finished."""
        self._ask({"type": "submit"})

    def _ask(self, request):
        answer = self._transport.ask(request)
        if answer["type"] == "error":
            raise AgentError(answer["code"], answer["message"])
        return answer


def _plain(value):
    """Converts numpy numbers and arrays, which JSON cannot represent."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError("an action must be made of numbers, lists and texts, not of " + type(value).__name__)


_to_json = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":")).encode


class _Pipes:
    """Lines of JSON on the stdin and stdout of a box. Prints of the agent go to stderr, and it reads an empty stdin."""

    def __init__(self):
        self._answers = os.fdopen(os.dup(0), "rb")
        self._requests = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        # What was printed before, and is not flushed, goes to stderr too.
        os.dup2(2, 1)

    def ask(self, request):
        line = _to_json(request).encode() + b"\n"
        while line:
            line = line[os.write(self._requests, line) :]
        answer = self._answers.readline()
        if not answer:
            raise AgentError("session_over", "the session has ended")
        return json.loads(answer)


# In a box, from the import on: whatever is printed before connect() must not become a request.
_pipes = _Pipes() if "CROWDAI_AGENT_DIR" in os.environ else None
_env = None


def connect():
    """Returns the session of this agent. Every call returns the same one."""
    global _env
    if _env is None:
        if _pipes is None:
            raise AgentError("not_connected", "this program does not run in a box of crowdAI")
        _env = Env(_pipes)
    return _env


def serve(act, begin=None):
    """Plays all episodes with `act(observation)`, which returns an action. Calls `begin(observation)` at the start of each."""
    env = connect()
    observation = env.reset()
    while observation is not None:
        if begin is not None:
            begin(observation)
        over = False
        while not over:
            observation, _, terminated, truncated, _ = env.step(act(observation))
            over = terminated or truncated
        observation = env.reset()
    env.submit()
