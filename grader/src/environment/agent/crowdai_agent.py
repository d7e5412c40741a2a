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

In a box of crowdAI it speaks to the session through the pipes of the program, so that prints go to stderr. Elsewhere it speaks to
the broker, as CROWDAI_BROKER, CROWDAI_API_KEY, CROWDAI_CHALLENGE and CROWDAI_SUBMISSION say; `crowdai run` sets them. Requests are
numbered: one whose answer was lost is repeated, and is not done twice.
"""

import json
import os

_is_in_box = "CROWDAI_AGENT_DIR" in os.environ and "CROWDAI_BROKER" not in os.environ
if not _is_in_box:
    # A box has no network, and starts sooner without them.
    import http.client
    import random
    import socket
    import ssl
    import time
    import urllib.parse
    import urllib.request

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
        """The session's description of itself: spaces, episodes and limits."""
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
        """Ends the session, when all episodes are finished. Returns the score; in a box, where it is not known yet, None."""
        return self._ask({"type": "submit"}).get("score")

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
        # Output that was printed before, and is not flushed, goes to stderr too.
        os.dup2(2, 1)

    def ask(self, request):
        line = _to_json(request).encode() + b"\n"
        while line:
            line = line[os.write(self._requests, line) :]
        answer = self._answers.readline()
        if not answer:
            raise AgentError("session_over", "the session has ended")
        return json.loads(answer)


#: Seconds without an answer after which a request is repeated: it may have been lost on the way.
_SILENCE = 100
#: Seconds for which the broker may be unreachable.
_LOST_AFTER = 300


class _Broker:
    """Requests to a broker in the form of gym-http-api. Lost connections and restarts of the broker are waited for."""

    def __init__(self, challenge=None):
        environment = os.environ
        self._key = environment.get("CROWDAI_API_KEY", "").strip()
        self._challenge = challenge or environment.get("CROWDAI_CHALLENGE", "")
        if not self._key:
            raise AgentError("no_key", "CROWDAI_API_KEY is not set. Start the agent with `crowdai run`.")
        if not self._challenge:
            raise AgentError("challenge_missing", "CROWDAI_CHALLENGE is not set. Start the agent with `crowdai run`.")
        address = environment.get("CROWDAI_BROKER") or "http://localhost:8420"
        self._address = urllib.parse.urlsplit(address)
        if self._address.scheme not in ("http", "https") or not self._address.hostname:
            raise AgentError("config_invalid", "CROWDAI_BROKER is not an http:// or https:// address.")
        self._connection, self._prefix, self._was_sent = None, "", False
        submission = environment.get("CROWDAI_SUBMISSION") or "".join(
            random.SystemRandom().choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(16)
        )
        created = self._request("POST", "/v1/envs/", {"env_id": self._challenge, "submission": submission})
        self._session = "/v1/envs/" + created["instance_id"]

    def ask(self, request):
        kind = request["type"]
        if kind == "hello":
            return self._hello()
        if kind == "submit":
            return {"type": "end", "score": self._post("monitor/close/", {"early": False}).get("reward")}
        body = {name: value for name, value in request.items() if name != "type"}
        answer = self._post(kind + "/", body)
        if kind == "reset":
            is_end = answer.get("observation") is None
            return {"type": "end"} if is_end else dict(answer, type="observation")
        return dict(answer, type="step")

    def _hello(self):
        spaces = {
            name: self._request("GET", "%s/%s_space/" % (self._session, name))["info"]
            for name in ("action", "observation")
        }
        base = self._address.path.rstrip("/")
        described = self._request("GET", base + "/api/v1/challenges/" + urllib.parse.quote(self._challenge, safe=""))
        environment = described.get("environment") or {}
        known = {name: environment.get(name) for name in ("episodes", "limits")}
        return dict(known, type="hello", protocol=1, spaces=spaces)

    def _post(self, path, body):
        return self._request("POST", self._session + "/" + path, body)

    def _request(self, method, path, body=None):
        """Returns the JSON of an answer. Repeats the request until there is one."""
        data = None if body is None else _to_json(body).encode()
        failing_since = None
        attempt = 0
        while True:
            try:
                status, text = self._exchange(method, path, data)
            except ssl.SSLCertVerificationError:
                raise
            except (OSError, http.client.HTTPException) as error:
                self._disconnect()
                is_silence = isinstance(error, socket.timeout) and self._was_sent
                status, text, reason = None, b"", str(error) or type(error).__name__
                if is_silence:
                    continue
            else:
                reason = "HTTP %d" % status
                if status < 500 and status not in (408, 425, 429):
                    return self._read(status, text)
            now = time.monotonic()
            failing_since = failing_since or now
            if now - failing_since > _LOST_AFTER:
                raise AgentError("broker_lost", "the broker at %s is unreachable: %s" % (self._where(), reason))
            time.sleep(random.uniform(0.05, min(5, 0.25 * 2**attempt)))
            attempt += 1

    def _read(self, status, text):
        try:
            answer = json.loads(text) if text else {}
        except ValueError:
            answer = None
        if status < 300 and isinstance(answer, dict):
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("message"), str):
            raise AgentError("refused", answer["message"])
        raise AgentError("not_a_broker", "%s is not a broker of crowdAI: HTTP %d" % (self._where(), status))

    def _exchange(self, method, path, data):
        self._was_sent = False
        if self._connection is None:
            self._connection, self._prefix = self._connect()
        # No redirect is followed, so that the key goes to the broker alone.
        headers = {"Authorization": "Bearer " + self._key, "Content-Type": "application/json"}
        self._connection.request(method, self._prefix + path, data, headers)
        self._was_sent = True
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _connect(self):
        address = self._address
        is_secure = address.scheme == "https"
        kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
        host, port = address.hostname, address.port or (443 if is_secure else 80)
        proxy = urllib.request.getproxies().get(address.scheme)
        if not proxy or urllib.request.proxy_bypass("%s:%d" % (host, port)):
            connection, prefix = kind(host, port, timeout=_SILENCE), ""
        else:
            by = urllib.parse.urlsplit(proxy if "://" in proxy else "http://" + proxy)
            connection, prefix = kind(by.hostname, by.port or 80, timeout=_SILENCE), ""
            if is_secure:
                connection.set_tunnel(host, port)
            else:
                prefix = "http://%s" % address.netloc
        connection.connect()
        # Small requests must not wait for each other.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, prefix

    def _disconnect(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _where(self):
        return "%s://%s" % (self._address.scheme, self._address.netloc)


# In a box, from the import on: whatever is printed before connect() must not become a request.
_pipes = _Pipes() if _is_in_box else None
_env = None


def connect(challenge=None):
    """Returns the session of this agent. Every call returns the same one. Outside a box, `challenge` replaces CROWDAI_CHALLENGE."""
    global _env
    if _env is None:
        _env = Env(_pipes or _Broker(challenge))
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
