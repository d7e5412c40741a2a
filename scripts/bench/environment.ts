import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import { type RunningBroker, startBroker, withoutBrokerSettings } from "../lib/running-broker.ts";
import { startRedis } from "../services/redis.ts";
import { measureCodeAgent } from "./code-agent.ts";
import { type Figure, median, quantile } from "./figure.ts";
import { createPlayground } from "./playground.ts";
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
 * What a step costs an agent, there and back: code in a box, and remote agents over socket.io and HTTP, through a broker that grades
 * itself, and through a broker, Redis and a grader. Beside them bare pipes, acknowledgements and requests.
 */
export async function measureEnvironment(): Promise<Figure[]> {
  const code = await measureCodeAgent();
  const embedded = await withBroker({ overRedis: false }, measureRemote);
  const [overRedis, together] = await withBroker({ overRedis: true }, async (broker) => [
    await measureRemote(broker),
    await measureTogether(broker),
  ]);
  const bare = await measureBare();
  const rows = (name: string, samples: number[], mostMs?: number): Figure[] => [
    {
      ...{ name: `${name}, median`, value: median(samples), unit: "ms" },
      ...(mostMs === undefined ? {} : { target: `≤ ${mostMs} ms`, met: median(samples) <= mostMs }),
    },
    { name: `${name}, p99`, value: quantile(samples, 0.99), unit: "ms" },
  ];
  return [
    ...code,
    ...rows("step over socket.io, embedded grader", embedded.socket, 0.5),
    ...rows("step over socket.io and Redis", overRedis.socket, 1),
    ...rows("bare socket.io acknowledgement", bare.socket),
    ...rows("step over HTTP, embedded grader", embedded.http, 1),
    ...rows("step over HTTP and Redis", overRedis.http, 1.5),
    ...rows("bare HTTP request", bare.http),
    ...together,
  ];
}

interface Measured {
  socket: number[];
  http: number[];
}

interface Host {
  broker: RunningBroker;
  apiKey: string;
}

/** Starts a broker with its own grader, or one with a grader and Redis between them. */
async function withBroker<T>(
  { overRedis }: { overRedis: boolean },
  work: (host: Host) => Promise<T>,
): Promise<T> {
  const playground = createPlayground();
  const { data, challenges } = playground;
  addEnvironment(challenges, "steps", 0);
  addEnvironment(challenges, "steps-of-1-ms", 1);
  mkdirSync(join(data, "redis"));
  const redis = overRedis ? await startRedis({ folder: join(data, "redis") }) : null;
  const env = { LOG_LEVEL: "error", ...(redis ? { REDIS_URL: redis.url } : {}) };
  const broker = await startBroker({ data, challenges, env, withGrader: !redis });
  const args = ["start", "--data", data, "--challenges", challenges, "--concurrency", String(SESSIONS)];
  const grader = redis
    ? spawn(process.execPath, [join(root, "grader/dist/bin.js"), ...args], {
        env: { ...withoutBrokerSettings(), ...env },
        stdio: "ignore",
      })
    : null;
  try {
    return await work({ broker, apiKey: await broker.addParticipant("bench") });
  } finally {
    await broker.stop();
    if (grader?.kill()) await once(grader, "exit");
    await redis?.stop();
    playground.remove();
  }
}

async function measureRemote({ broker: { url }, apiKey }: Host): Promise<Measured> {
  const challenge = "steps";
  const socket = await openSocket(url, { apiKey, challenge, client: "bench" });
  return {
    socket: await sample(await openSession(socket, challenge)),
    http: await sample(await openHttpSession({ url, apiKey, challenge })),
  };
}

async function measureBare(): Promise<Measured> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "echo-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(server.stdout, "data");
  const url = `http://127.0.0.1:${Number(port)}`;
  const socket = await openSocket(url);
  const { post, close } = openHttp(url);
  try {
    return {
      socket: await sample({
        step: () => socket.emitWithAck("submit", { observation: OBSERVATION }),
        close: () => socket.close(),
      }),
      http: await sample({ step: () => post("/", { observation: OBSERVATION }), close }),
    };
  } finally {
    server.kill();
  }
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

/** Many sessions at once, each with an environment of 1 ms: steps a second, and how far a session is from the mean. */
async function measureTogether({ broker: { url }, apiKey }: Host): Promise<Figure[]> {
  const challenge = "steps-of-1-ms";
  const sockets = await Promise.all(
    Array.from({ length: SESSIONS / SESSIONS_PER_SOCKET }, () =>
      openSocket(url, { apiKey, challenge, client: "bench" }),
    ),
  );
  const agents = await Promise.all(
    Array.from({ length: SESSIONS }, (_, i) => openSession(sockets[i % sockets.length]!, challenge)),
  );
  const began = performance.now();
  const counts = await Promise.all(
    agents.map(async ({ step }) => {
      let count = 0;
      for (; performance.now() - began < TOGETHER_MS; count++) await step();
      return count;
    }),
  );
  for (const socket of sockets) socket.close();
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const spread = Math.max(...counts.map((count) => (Math.abs(count - mean) / mean) * 100));
  return [
    {
      name: `${SESSIONS} sessions at once over Redis`,
      value: (mean * SESSIONS) / (TOGETHER_MS / 1000),
      unit: "steps/s",
    },
    {
      ...{ name: "  farthest session from the mean", value: spread, unit: "%" },
      ...{ target: `≤ ${FAIR_PERCENT} %`, met: spread <= FAIR_PERCENT },
    },
  ];
}
