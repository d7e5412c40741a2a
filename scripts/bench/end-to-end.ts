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
 * From the client's `submit` to the grade it receives, through a broker (SQLite), Redis and a grader with a
 * persistent evaluator that does nothing, each a process of its own; beside it a bare BullMQ job, from `add`
 * to its result, with its worker in a process of its own, on the same Redis.
 */
export async function measureEndToEnd(): Promise<Figure[]> {
  const playground = createPlayground();
  mkdirSync(join(playground.data, "redis"));
  const redis = await startRedis({ folder: join(playground.data, "redis") });
  try {
    const ours = await measure(await openOurs(redis, playground));
    const bullmq = await measure(await openBullmq(redis));
    const ratio = ours.ms / bullmq.ms;
    return [
      {
        name: "end to end, client to grade",
        value: ours.perSecond,
        unit: "/s",
        target: `at least ${TARGET_PER_SECOND}`,
        met: ours.perSecond >= TARGET_PER_SECOND,
      },
      { name: "  bare BullMQ, add to result", value: bullmq.perSecond, unit: "/s" },
      { name: "  ours / BullMQ", value: ours.perSecond / bullmq.perSecond, unit: "×" },
      { name: "one at a time, client to grade, median", value: ours.ms, unit: "ms" },
      { name: "  bare BullMQ job, median", value: bullmq.ms, unit: "ms" },
      {
        name: "  ours / BullMQ",
        value: ratio,
        unit: "×",
        target: `at most ${TARGET_RATIO}`,
        met: ratio <= TARGET_RATIO,
      },
    ];
  } finally {
    await redis.stop();
    playground.remove();
  }
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
  { data, challenges }: { data: string; challenges: string },
): Promise<Contender> {
  const env = { REDIS_URL: redis.url, LOG_LEVEL: "error" };
  const broker = await startBroker({ data, challenges, env, withGrader: false });
  const args = ["start", "--data", data, "--challenges", challenges, "--concurrency", String(CONCURRENCY)];
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
  // The default keeps fewer events than these jobs have, and one that was removed before it was read is
  // missed for ever.
  const queue = new Queue(name, { connection, streams: { events: { maxLen: 20 * JOBS } } });
  // From the first event: it is ready before it reads, and the default misses those that come in between.
  const events = new QueueEvents(name, { connection, lastEventId: "0" });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  const results = new Map<string, PromiseWithResolvers<unknown>>();
  // Whichever comes first, the answer to `add` or the event of the job's end.
  const resultOf = (id: string) => {
    const found = results.get(id) ?? Promise.withResolvers<unknown>();
    results.set(id, found);
    return found;
  };
  events.on("completed", ({ jobId, returnvalue }) => resultOf(jobId).resolve(returnvalue));
  events.on("failed", ({ jobId, failedReason }) => resultOf(jobId).reject(new Error(failedReason)));
  return {
    async ask(value) {
      const { id } = await queue.add(
        "job",
        { value },
        { removeOnComplete: { count: 1000 }, removeOnFail: true },
      );
      const result = await resultOf(id!).promise;
      results.delete(id!);
      if (Number(result) !== value) throw new Error("BullMQ gave another result");
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
