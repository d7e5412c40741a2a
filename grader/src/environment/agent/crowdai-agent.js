// Connects an agent to its session on crowdAI. One ES module, which needs Node.js or Bun and nothing else.
//
//   const { connect } = await import(`${process.env.CROWDAI_AGENT_DIR}/crowdai-agent.js`);
//   const env = connect();
//   for (let observation = await env.reset(); observation !== null; observation = await env.reset()) {
//     for (let over = false; !over; ) {
//       const step = await env.step(act(observation));
//       observation = step.observation;
//       over = step.terminated || step.truncated;
//     }
//   }
//   await env.submit();
//
// or, with a function that returns an action for an observation: await serve(act).
//
// In a box of crowdAI it speaks to the session through the pipes of the program, so that prints go to stderr. Elsewhere it speaks to
// the broker, as CROWDAI_BROKER, CROWDAI_API_KEY, CROWDAI_CHALLENGE and CROWDAI_SUBMISSION say; `crowdai run` sets them. Requests are
// numbered: one whose answer was lost is repeated, and is not done twice.

import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";

/** A request that the session refused, or a session that has ended. `code` says which. */
export class AgentError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "AgentError";
    this.code = code;
  }
}

/** Lines of JSON on stdin and stdout. What the agent prints goes to stderr. */
function openPipes() {
  const waiting = [];
  let text = "";
  let isOver = false;
  const over = () => new AgentError("session_over", "the session has ended");
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // Both runtimes write through the stream that they started with.
  for (const name of ["log", "info", "debug"]) console[name] = console.error.bind(console);
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      waiting.shift()?.resolve(JSON.parse(line));
      // Nothing keeps the process running but an answer that it waits for.
      if (waiting.length === 0) process.stdin.unref?.();
    }
  });
  process.stdin.on("end", () => {
    isOver = true;
    for (const { reject } of waiting.splice(0)) reject(over());
  });
  process.stdin.unref?.();

  return (request) =>
    new Promise((resolve, reject) => {
      if (isOver) return reject(over());
      waiting.push({ resolve, reject });
      process.stdin.ref?.();
      write(Buffer.from(`${JSON.stringify(request)}\n`));
    });
}

function write(bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // The pipe is full: its reader is busy.
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const SILENCE_MS = 100_000;
const LOST_AFTER_MS = 300_000;

/** Requests to a broker. Lost connections and restarts of the broker are waited for. */
function openBroker() {
  const {
    CROWDAI_BROKER,
    CROWDAI_API_KEY: key,
    CROWDAI_CHALLENGE: challenge,
    CROWDAI_SUBMISSION,
  } = process.env;
  if (!key || !challenge)
    throw new AgentError(
      "no_key",
      "CROWDAI_API_KEY or CROWDAI_CHALLENGE is not set. Start the agent with `crowdai run`.",
    );
  const submission = CROWDAI_SUBMISSION || randomUUID();
  const api = `${(CROWDAI_BROKER || "http://localhost:8420").replace(/\/+$/, "")}/api/v1`;
  const post = (path, body) => exchange(`${api}${path}`, "POST", JSON.stringify(body));
  let created = null;

  async function exchange(url, method, body) {
    let failingSince = null;
    for (let attempt = 0; ; attempt++) {
      let reason;
      try {
        const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
        // A redirect is not followed, so that the key goes to the broker alone.
        const signal = AbortSignal.timeout(SILENCE_MS);
        const answer = await fetch(url, { method, headers, body, redirect: "manual", signal });
        const text = await answer.text();
        if (answer.status < 500 && ![408, 425, 429].includes(answer.status)) return read(answer.status, text);
        reason = `HTTP ${answer.status}`;
      } catch (error) {
        if (error instanceof AgentError) throw error;
        if (error.name === "TimeoutError") continue;
        reason = error.cause?.code ?? error.message;
      }
      failingSince ??= performance.now();
      if (performance.now() - failingSince > LOST_AFTER_MS)
        throw new AgentError("broker_lost", `the broker at ${new URL(api).origin} is unreachable: ${reason}`);
      await new Promise((resolve) =>
        setTimeout(resolve, 50 + Math.random() * Math.min(5000, 250 * 2 ** attempt)),
      );
    }
  }

  function read(status, text) {
    let answer = null;
    try {
      answer = JSON.parse(text);
    } catch {
      // Another server answered.
    }
    if (status < 300 && answer) return answer;
    if (answer?.error) throw new AgentError(answer.error.code, answer.error.message);
    throw new AgentError("not_a_broker", `${new URL(api).origin} is not a broker of crowdAI: HTTP ${status}`);
  }

  return async ({ type, ...request }) => {
    created ??= post("/sessions", { id: submission, challenge });
    await created;
    for (;;) {
      const answer = await post(`/sessions/${submission}/${type}`, request);
      if (answer.type !== "waiting") return answer;
    }
  };
}

let env = null;

// In a box, from the import on: whatever is printed before connect() must not become a request.
const isInBox = process.env.CROWDAI_AGENT_DIR !== undefined && process.env.CROWDAI_BROKER === undefined;
const pipes = isInBox ? openPipes() : null;

/** Returns the session of this agent: hello, reset, step and submit. Every call returns the same one. */
export function connect() {
  env ??= createEnv(pipes ?? openBroker());
  return env;
}

function createEnv(send) {
  let episode = 0;
  let n = 0;
  let hello = null;

  async function ask(request) {
    const answer = await send(request);
    if (answer.type === "error") throw new AgentError(answer.code, answer.message);
    return answer;
  }

  let info = {};

  return {
    /** The episode that is played; 0 before the first reset. */
    get episode() {
      return episode;
    },
    /** The number of steps answered in this episode. */
    get steps() {
      return n;
    },
    /** The `info` of the latest answer to a reset or step. */
    get info() {
      return info;
    },
    /** Resolves with the spaces, the number of episodes, and the limits. */
    async hello() {
      hello ??= await ask({ type: "hello" });
      return hello;
    },
    /** Begins the next episode. Resolves with its first observation; null after the last episode. */
    async reset() {
      const answer = await ask({ type: "reset", episode: episode + 1 });
      if (answer.type === "end") return null;
      episode = answer.episode;
      n = 0;
      info = answer.info;
      return answer.observation;
    },
    /** Resolves with observation, reward, terminated, truncated, done (either of them), info and bank_ms. */
    async step(action) {
      const answer = await ask({ type: "step", episode, n: n + 1, action });
      n = answer.n;
      info = answer.info;
      return { ...answer, done: answer.terminated || answer.truncated };
    },
    /** Ends the session, when all episodes are finished. */
    async submit() {
      await ask({ type: "submit" });
    },
  };
}

/** Plays all episodes with `act(observation)`, which returns an action or a promise of one. */
export async function serve(act, begin) {
  const session = connect();
  for (let observation = await session.reset(); observation !== null; observation = await session.reset()) {
    await begin?.(observation);
    for (let over = false; !over; ) {
      const step = await session.step(await act(observation));
      observation = step.observation;
      over = step.terminated || step.truncated;
    }
  }
  await session.submit();
}
