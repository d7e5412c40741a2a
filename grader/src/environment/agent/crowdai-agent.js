// Connects an agent to its session on crowdAI, in a box. One ES module, which needs Node.js or Bun and nothing else.
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

let env = null;

// From the import on: whatever is printed before connect() must not become a request.
const pipes = openPipes();

/** Returns the session of this agent: hello, reset, step and submit. Every call returns the same one. */
export function connect() {
  env ??= createEnv(pipes);
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

  return {
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
      return answer.observation;
    },
    /** Resolves with observation, reward, terminated, truncated, info and bank_ms. */
    async step(action) {
      const answer = await ask({ type: "step", episode, n: n + 1, action });
      n = answer.n;
      return answer;
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
