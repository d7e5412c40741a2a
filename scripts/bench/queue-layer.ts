import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job, Report } from "@crowdai/shared";
import { connectionsTo, createRedisQueue } from "@crowdai/shared/queue/redis";
import { Queue, Worker } from "bullmq";
import { startRedis } from "../services/redis.ts";
import type { Figure } from "./figure.ts";

const CONCURRENCIES = [8, 32] as const;
const JOBS = 10_000;
const WARM_UP = 2000;
/** Jobs whose acknowledgement by Redis is waited for at once. */
const IN_FLIGHT = 64;
const silent = { info() {}, warn() {}, error() {} };

/** Ends when all jobs were processed; resolves to jobs a second. */
type Measured = (jobs: number) => Promise<number>;

/**
 * Jobs a second through the queue alone, added and processed by an empty handler in one process, beside
 * BullMQ on the same Redis. A third row adds what BullMQ does not carry: a report of each job's end, received
 * by a broker.
 */
export async function measureQueueLayer(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-"));
  const redis = await startRedis({ folder });
  const figures: Figure[] = [];
  try {
    for (const concurrency of CONCURRENCIES) {
      const contenders = {
        ours: () => withOurs(redis.url, concurrency, false),
        reporting: () => withOurs(redis.url, concurrency, true),
        bullmq: () => withBullmq(redis.port, concurrency),
      };
      const result = { ours: 0, reporting: 0, bullmq: 0 };
      for (const [name, open] of Object.entries(contenders) as [keyof typeof contenders, Open][]) {
        const { measure, close } = await open();
        await measure(WARM_UP);
        result[name] = await measure(JOBS);
        await close();
      }
      const ratio = result.ours / result.bullmq;
      figures.push(
        { name: `queue layer at concurrency ${concurrency}`, value: result.ours, unit: "jobs/s" },
        { name: "  with a report of each", value: result.reporting, unit: "jobs/s" },
        { name: "  BullMQ", value: result.bullmq, unit: "jobs/s" },
        { name: "  ours / BullMQ", value: ratio, unit: "×", target: "at least 1.0", met: ratio >= 1 },
      );
    }
    return figures;
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true });
  }
}

type Open = () => Promise<{ measure: Measured; close: () => Promise<void> }>;

async function withOurs(url: string, concurrency: number, reporting: boolean): ReturnType<Open> {
  const queue = await createRedisQueue({
    redis: connectionsTo(url).connect,
    prefix: randomUUID(),
    log: silent,
  });
  const stop = new AbortController();
  const tally = countTo();
  const consuming = queue.consume(
    { grader: "bench", challenges: () => ["echo"], concurrency, signal: stop.signal },
    async ({ job: { submission, attempt }, delivery }) => {
      if (reporting) await queue.report(finished(submission, attempt, delivery));
      else tally.one();
    },
  );
  const receiving = reporting ? queue.receive(async () => tally.one(), stop.signal) : null;
  return {
    measure: (jobs) => rate(jobs, tally, () => queue.publish(jobOf(randomUUID()))),
    async close() {
      stop.abort();
      await Promise.all([consuming, receiving]);
      await queue.close();
    },
  };
}

async function withBullmq(port: number, concurrency: number): ReturnType<Open> {
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const name = randomUUID();
  const queue = new Queue(name, { connection });
  const tally = countTo();
  const worker = new Worker(name, async () => tally.one(), { connection, concurrency });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const options = { removeOnComplete: true, removeOnFail: true };
  return {
    measure: (jobs) => rate(jobs, tally, () => queue.add("job", jobOf(randomUUID()), options)),
    async close() {
      await worker.close();
      await queue.obliterate({ force: true });
      await queue.close();
    },
  };
}

interface Tally {
  one(): void;
  reached(count: number): Promise<void>;
}

function countTo(): Tally {
  let count = 0;
  let goal = Number.POSITIVE_INFINITY;
  let done = () => {};
  return {
    one() {
      if (++count === goal) done();
    },
    reached(more) {
      goal = count + more;
      return new Promise((resolve) => {
        done = resolve;
      });
    },
  };
}

async function rate(jobs: number, tally: Tally, add: () => Promise<unknown>): Promise<number> {
  let left = jobs;
  const requestLoop = async () => {
    while (left-- > 0) await add();
  };
  const began = performance.now();
  const processed = tally.reached(jobs);
  await Promise.all(Array.from({ length: IN_FLIGHT }, requestLoop));
  await processed;
  return jobs / ((performance.now() - began) / 1000);
}

function jobOf(submission: string): Job {
  return {
    submission,
    attempt: 1,
    challenge: "echo",
    function: "submit",
    round: 1,
    dry_run: false,
    input: {
      kind: "file",
      key: `inputs/${submission}`,
      name: "predictions.csv",
      size: 1000,
      sha256: "0".repeat(64),
    },
    code: null,
    version: null,
  };
}

function finished(submission: string, attempt: number, delivery: number): Report {
  const outcome = {
    ...{
      ok: true as const,
      score: 0.5,
      score_secondary: null,
      message: null,
      meta: {},
      data: null,
      media: null,
    },
    ...{ artifacts: [], evaluator_version: "1" },
  };
  return {
    type: "finished",
    submission,
    attempt,
    delivery,
    grader: "bench",
    outcome,
    organiser_log: "",
    seconds: null,
  };
}
