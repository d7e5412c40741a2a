import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Queue, QueueEvents } from "bullmq";
import { root } from "../lib/root.ts";
import { startBroker, withoutBrokerSettings } from "../lib/running-broker.ts";
import { startRedis } from "../services/redis.ts";
import type { Service } from "../services/service.ts";
import { type Figure, median } from "./figure.ts";
import { createPlayground } from "./playground.ts";

const CONCURRENCY = 8;
const WARM_UP = 300;
const JOBS = 4000;
const SINGLE = 300;
const ROUNDS = 3;
const IN_FLIGHT = 64;
const TARGET_PER_SECOND = 500;
const TARGET_RATIO = 2.5;

/** Resolves when the job was done and its maker knows the result. */
type Ask = (value: number) => Promise<unknown>;

interface Contender {
  ask: Ask;
  close(): Promise<void>;
}

/**
 * From the client's `submit` to the grade it receives, through a broker (SQLite), Redis and a grader with a persistent evaluator that
 * does nothing, each a process of its own; beside it a bare BullMQ job, from `add` to its result, with its worker in a process
 * of its own, on the same Redis. In turns; medians count.
 */
export async function measureEndToEnd(): Promise<Figure[]> {
  const playground = createPlayground();
  mkdirSync(join(playground.data, "redis"));
  const redis = await startRedis({ folder: join(playground.data, "redis") });
  const rounds: { perSecond: number; ms: number; bullmqPerSecond: number; bullmqMs: number }[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const ours = await measure(await openOurs(redis, { ...playground, round }));
      const bullmq = await measure(await openBullmq(redis));
      rounds.push({ ...ours, bullmqPerSecond: bullmq.perSecond, bullmqMs: bullmq.ms });
    }
  } finally {
    await redis.stop();
    playground.remove();
  }
  const of = (key: keyof (typeof rounds)[number]) => median(rounds.map((one) => one[key]));
  const ratio = median(rounds.map(({ ms, bullmqMs }) => ms / bullmqMs));
  const perSecond = of("perSecond");
  return [
    {
      name: "end to end, client to grade",
      value: perSecond,
      unit: "/s",
      target: `at least ${TARGET_PER_SECOND}`,
      met: perSecond >= TARGET_PER_SECOND,
    },
    { name: "  bare BullMQ, add to result", value: of("bullmqPerSecond"), unit: "/s" },
    {
      name: "  ours / BullMQ",
      value: median(rounds.map((one) => one.perSecond / one.bullmqPerSecond)),
      unit: "×",
    },
    { name: "one at a time, client to grade, median", value: of("ms"), unit: "ms" },
    { name: "  bare BullMQ job, median", value: of("bullmqMs"), unit: "ms" },
    {
      name: "  ours / BullMQ",
      value: ratio,
      unit: "×",
      target: `at most ${TARGET_RATIO}`,
      met: ratio <= TARGET_RATIO,
    },
  ];
}

async function measure({ ask, close }: Contender): Promise<{ perSecond: number; ms: number }> {
  try {
    await many(ask, WARM_UP);
    const singles: number[] = [];
    for (let i = 0; i < SINGLE; i++) {
      const began = performance.now();
      await ask(i);
      singles.push(performance.now() - began);
    }
    const began = performance.now();
    await many(ask, JOBS);
    return { perSecond: JOBS / ((performance.now() - began) / 1000), ms: median(singles) };
  } finally {
    await close();
  }
}

async function many(ask: Ask, count: number): Promise<void> {
  let left = count;
  const requestLoop = async () => {
    while (left-- > 0) await ask(left);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, requestLoop));
}

async function openOurs(
  redis: Service,
  { data, challenges, round }: { data: string; challenges: string; round: number },
): Promise<Contender> {
  const folder = join(data, `round-${round}`);
  mkdirSync(folder);
  const env = { REDIS_URL: `${redis.url}/${round}`, LOG_LEVEL: "error" };
  const broker = await startBroker({ data: folder, challenges, env, withGrader: false });
  const args = ["start", "--data", folder, "--challenges", challenges, "--concurrency", String(CONCURRENCY)];
  const grader = spawn(process.execPath, [join(root, "grader/dist/bin.js"), ...args], {
    env: { ...withoutBrokerSettings(), ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const library: typeof import("../../cli/src/index.ts") = await import(join(root, "cli/dist/index.js"));
  const apiKey = await broker.addParticipant("bench");
  const challenge = await library.Challenge.open("echo", { apiKey, broker: broker.url });
  return {
    async ask(value) {
      const { score } = await challenge.submit({ value });
      if (score !== value) throw new Error(`the score is ${score} instead of ${value}`);
    },
    async close() {
      await challenge.close();
      grader.kill();
      await once(grader, "exit");
      await broker.stop();
    },
  };
}

async function openBullmq(redis: Service): Promise<Contender> {
  const name = randomUUID();
  const worker = spawn(
    process.execPath,
    [join(import.meta.dirname, "bullmq-worker.ts"), String(redis.port), name, String(CONCURRENCY)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(worker.stdout, "data");
  const connection = { host: "127.0.0.1", port: redis.port, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return {
    async ask(value) {
      const job = await queue.add(
        "job",
        { value },
        { removeOnComplete: { count: 1000 }, removeOnFail: true },
      );
      if ((await job.waitUntilFinished(events)) !== value) throw new Error("BullMQ gave another result");
    },
    async close() {
      worker.kill();
      await once(worker, "exit");
      await events.close();
      await queue.obliterate({ force: true });
      await queue.close();
    },
  };
}
