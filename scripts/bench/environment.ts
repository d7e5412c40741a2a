import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import { startBroker, withoutBrokerSettings } from "../lib/running-broker.ts";
import { startRedis } from "../services/redis.ts";
import { onceDone } from "./cleanup.ts";
import { type Figure, median, quantile } from "./figure.ts";
import { createPlayground } from "./playground.ts";
import { processorTime } from "./processor-time.ts";
import {
  OBSERVATION,
  openHttp,
  openHttpSession,
  openSession,
  openSocket,
  type StepAgent,
} from "./step-agents.ts";
import { addEnvironment } from "./step-environment.ts";

const WARM_UP = 500;
const SAMPLES = 2000;
const SESSIONS = 200;
const SESSIONS_PER_SOCKET = 10;
const TOGETHER_MS = 10_000;
const FAIR_PERCENT = 20;

/**
 * Measures a step of a remote agent, there and back, through a broker that grades itself; beside it bare
 * acknowledgements and requests.
 */
export const measureEmbedded = () =>
  measureRemote({ overRedis: false, name: "embedded grader", socketMs: 0.5, httpMs: 1 });

/** Measures a step through a broker, Redis and a grader. */
export const measureOverRedis = () =>
  measureRemote({ overRedis: true, name: "grader over Redis", socketMs: 1, httpMs: 1.5 });

interface Targets {
  overRedis: boolean;
  name: string;
  socketMs: number;
  httpMs: number;
}

async function* measureRemote({ overRedis, name, socketMs, httpMs }: Targets): AsyncGenerator<Figure> {
  const host = await startHost({ overRedis });
  const bare = await startBare();
  try {
    const { url, apiKey, pids } = host;
    const challenge = "steps";
    const socket = await openSocket(url, { apiKey, challenge, client: "bench" });
    yield* rows(`step over socket.io, ${name}`, await openSession(socket, challenge), {
      mostMs: socketMs,
      pids,
    });
    yield* rows("bare socket.io acknowledgement", await bare.socket());
    const overHttp = await openHttpSession({ url, apiKey, challenge });
    yield* rows(`step over HTTP, ${name}`, overHttp, { mostMs: httpMs, pids });
    yield* rows("bare HTTP request", bare.http());
  } finally {
    bare.stop();
    await host.stop();
  }
}

/** Median and p99 of the steps of an agent, and what they cost the processes that serve it. */
async function* rows(
  name: string,
  agent: StepAgent,
  { mostMs, pids }: { mostMs?: number; pids?: readonly number[] } = {},
): AsyncGenerator<Figure> {
  const before = processorTime(pids ?? []);
  const samples = await sample(agent);
  const used = (processorTime(pids ?? []) - before) / (WARM_UP + SAMPLES);
  const middle = median(samples);
  yield {
    ...{ name: `${name}, median`, value: middle, unit: "ms" },
    ...(mostMs === undefined ? {} : { target: `≤ ${mostMs} ms`, met: middle <= mostMs }),
  };
  yield { name: `${name}, p99`, value: quantile(samples, 0.99), unit: "ms" };
  if (pids) yield { name: "  processor time of broker and grader", value: used, unit: "ms" };
}

/** Starts a broker with its own grader, or one with a grader and Redis between them. */
async function startHost({ overRedis }: { overRedis: boolean }) {
  const playground = createPlayground();
  const ends: (() => unknown)[] = [playground.remove];
  const stop = onceDone(async () => {
    for (const end of ends.reverse()) await end();
  });
  try {
    const { data, challenges } = playground;
    addEnvironment(challenges, "steps", 0);
    addEnvironment(challenges, "steps-of-1-ms", 1);
    mkdirSync(join(data, "redis"));
    const redis = overRedis ? await startRedis({ folder: join(data, "redis") }) : null;
    if (redis) ends.push(() => redis.stop());
    const env = { LOG_LEVEL: "error", ...(redis ? { REDIS_URL: redis.url } : {}) };
    const broker = await startBroker({ data, challenges, env, withGrader: !redis });
    ends.push(() => broker.stop());
    const pids = [broker.process.pid!];
    if (redis) {
      const args = ["start", "--data", data, "--challenges", challenges, "--concurrency", String(SESSIONS)];
      const grader = spawn(process.execPath, [join(root, "grader/dist/bin.js"), ...args], {
        env: { ...withoutBrokerSettings(), ...env },
        stdio: "ignore",
      });
      const exited = once(grader, "exit");
      ends.push(() => {
        grader.kill();
        return exited;
      });
      pids.push(grader.pid!);
    }
    return { url: broker.url, apiKey: await broker.addParticipant("bench"), pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a server that acknowledges and answers what it gets. */
async function startBare() {
  const server = spawn(process.execPath, [join(import.meta.dirname, "echo-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = onceDone(async () => void server.kill());
  const [port] = await once(server.stdout, "data");
  const url = `http://127.0.0.1:${Number(port)}`;
  return {
    async socket(): Promise<StepAgent> {
      const socket = await openSocket(url);
      return {
        step: () => socket.emitWithAck("submit", { observation: OBSERVATION }),
        close: () => socket.close(),
      };
    },
    http(): StepAgent {
      const { post, close } = openHttp(url);
      return { step: () => post("/", { observation: OBSERVATION }), close };
    },
    stop,
  };
}

/** Milliseconds of each step, one after another, after a warm-up. */
async function sample({ step, close }: StepAgent): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < WARM_UP + SAMPLES; i++) {
    const began = performance.now();
    await step();
    if (i >= WARM_UP) samples.push(performance.now() - began);
  }
  close();
  return samples;
}

/**
 * Many sessions at once, each with an environment of 1 ms: steps a second, and how far a session is from the
 * mean.
 */
export async function* measureTogether(): AsyncGenerator<Figure> {
  const { url, apiKey, pids, stop } = await startHost({ overRedis: true });
  try {
    const challenge = "steps-of-1-ms";
    const sockets = await Promise.all(
      Array.from({ length: SESSIONS / SESSIONS_PER_SOCKET }, () =>
        openSocket(url, { apiKey, challenge, client: "bench" }),
      ),
    );
    const agents = await Promise.all(
      Array.from({ length: SESSIONS }, (_, i) => openSession(sockets[i % sockets.length]!, challenge)),
    );
    const before = processorTime(pids);
    const began = performance.now();
    const counts = await Promise.all(
      agents.map(async ({ step }) => {
        let count = 0;
        for (; performance.now() - began < TOGETHER_MS; count++) await step();
        return count;
      }),
    );
    const used = processorTime(pids) - before;
    for (const socket of sockets) socket.close();
    const steps = counts.reduce((sum, count) => sum + count, 0);
    const mean = steps / counts.length;
    const spread = Math.max(...counts.map((count) => (Math.abs(count - mean) / mean) * 100));
    yield {
      name: `${SESSIONS} sessions at once over Redis`,
      value: steps / (TOGETHER_MS / 1000),
      unit: "steps/s",
    };
    yield {
      ...{ name: "  farthest session from the mean", value: spread, unit: "%" },
      ...{ target: `≤ ${FAIR_PERCENT} %`, met: spread <= FAIR_PERCENT },
    };
    yield { name: "  processor time of broker and grader", value: used / steps, unit: "ms" };
  } finally {
    await stop();
  }
}
