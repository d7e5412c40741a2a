import { markedStep } from "../../marked-steps.ts";
import { CrowdaiError } from "../../protocol/errors.ts";
import type { Report } from "../../protocol/job.ts";
import { fairKeyOf } from "../fair-queue.ts";
import type { AttachedGrader, JobQueue } from "../job-queue.ts";
import { queueNameOf, servedQueues } from "../queue-names.ts";
import { createBatches } from "./batches.ts";
import { listenForCancellations } from "./cancellations.ts";
import { type Consumer, createConsumer } from "./consumer.ts";
import { CANCEL, PUBLISH } from "./job-scripts.ts";
import { ATTACHED, TIDY } from "./lease-scripts.ts";
import type { QueueLog } from "./queue-log.ts";
import { type Client, createReconnectingConnection } from "./reconnecting-connection.ts";
import { watchForLoss } from "./recovery.ts";
import { createReportOutbox } from "./report-outbox.ts";
import { readReports } from "./report-reader.ts";
import { type Argument, runScript } from "./script.ts";
import { checkServer } from "./server-check.ts";

export interface RedisQueueOptions {
  /** Creates a client for one connection; see connectionsTo. */
  redis: () => Client;
  /** For the start message and the logs, without secrets. */
  name?: string;
  /** The prefix of all keys. Queues with different prefixes share nothing. */
  prefix?: string;
  log: QueueLog;
  /** A grader without a heartbeat for this long loses its jobs. Default 7 s. */
  leaseMs?: number;
}

export const LEASE_MS = 7000;
const TIDY_MS = 10_000;
/** How long the list of attached graders is cached. */
const FRESH_MS = 500;
/** How long consumers and readers may take to stop when the queue is closed. */
const CLOSE_MS = 3000;

/**
 * Creates a queue on Redis Streams: one stream per challenge and one for its sessions, read by one group,
 * which jobs enter in their fair order. All keys share a hash tag, so that a cluster keeps the queue on one
 * node. Also resolves while Redis is unreachable, which is logged. Throws redis_unfit when Redis would lose
 * jobs.
 */
export async function createRedisQueue(options: RedisQueueOptions): Promise<JobQueue> {
  const { redis, log, leaseMs = LEASE_MS } = options;
  const base = `{${options.prefix ?? "crowdai"}}`;
  const closing = new AbortController();
  const consumers = new Set<Consumer>();
  const readers = new Set<Promise<void>>();
  let ending = 0;
  let unfit: Error | null = null;
  let control: ReturnType<typeof listenForCancellations> | null = null;
  let tidying: NodeJS.Timeout | undefined;

  const connection = createReconnectingConnection({
    redis,
    onReady(client) {
      // The address may now lead to another server.
      checkServer(client, base, log)
        .then(
          () => {
            unfit = null;
          },
          (error: Error) => {
            if (!("code" in error) || error.code !== "redis_unfit") return;
            unfit = error;
            log.error({ event: "redis_unfit", err: error }, error.message);
          },
        )
        .finally(checked);
      for (const consumer of consumers) consumer.reconnected();
    },
    onDisconnect(lastError) {
      // Retrying does not help here.
      if (/WRONGPASS|NOAUTH|NOPERM/.test(lastError.message))
        unfit = new CrowdaiError("redis_unfit", `Redis refused the connection: ${lastError.message}`, {
          next: "Check the user and the password in REDIS_URL.",
        });
      log.warn({ event: "redis_unreachable", err: lastError }, "Redis unreachable, jobs wait in the records");
      checked();
    },
  });
  const { promise: firstAnswer, resolve: checked } = Promise.withResolvers<void>();
  await firstAnswer;
  if (unfit) {
    connection.close();
    throw unfit;
  }

  const run = (script: Parameters<typeof runScript>[2], args: readonly Argument[] = []) =>
    connection.use((client) => runScript(client, base, script, args));

  const publishing = createBatches<readonly Argument[]>({
    async send(jobs) {
      if (unfit) throw unfit;
      await markedStep("queue.publish", () => run(PUBLISH, jobs.flat()));
    },
    maxItems: 200,
    maxWeight: 1_000_000,
    weigh: (job) => String(job[4]).length,
  });

  const report = createReportOutbox({
    connection,
    base,
    log,
    stopping: () => ending === consumers.size,
    closing: closing.signal,
  });

  let attached: { at: number; graders: AttachedGrader[] } = { at: Number.NEGATIVE_INFINITY, graders: [] };

  /** Runs broker-side work that continues until its signal is aborted. */
  async function reader(work: (stopping: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const working = work(AbortSignal.any([signal, closing.signal]));
    readers.add(working);
    await working.finally(() => readers.delete(working));
  }

  return {
    name: options.name ?? "Redis",

    async publish(job) {
      const { submission, attempt } = job;
      // An escaped key has no separator of the keys in Redis.
      const key = encodeURIComponent(fairKeyOf(job));
      await publishing.add([submission, attempt, queueNameOf(job), key, JSON.stringify(job)]);
    },

    async consume(consumption, handle) {
      control ??= listenForCancellations(redis, base, (submission, attempt) => {
        for (const { runningJobs } of consumers) runningJobs.withdraw(submission, attempt);
      });
      await control.ready;
      tidying ??= setInterval(() => run(TIDY, servedQueues(consumption)).catch(() => {}), TIDY_MS);
      const consumer = createConsumer({
        ...{ redis, connection, base, leaseMs, log, consumption, handle },
        closing: closing.signal,
      });
      consumers.add(consumer);
      const onStop = () => {
        ending++;
      };
      consumption.signal.addEventListener("abort", onStop);
      await consumer.ended;
      consumption.signal.removeEventListener("abort", onStop);
      consumers.delete(consumer);
      if (consumption.signal.aborted) ending--;
    },

    report: (one: Report) => report(one),

    receive: (apply, signal) =>
      reader((stopping) => readReports({ redis, connection, base, log, apply, stopping }), signal),

    recover: (recovery, signal) =>
      reader(
        (stopping) =>
          watchForLoss({ connection, base, log, settleMs: (leaseMs * 5) / 7, recovery, stopping }),
        signal,
      ),

    async cancel(submission) {
      await markedStep("queue.cancel", () => run(CANCEL, [submission]));
    },

    async attached() {
      if (performance.now() - attached.at > FRESH_MS && connection.connected)
        try {
          const texts = (await run(ATTACHED)) as string[];
          const graders = texts.map((text): AttachedGrader => {
            const { advances: _, ...grader } = JSON.parse(text);
            return grader;
          });
          attached = { at: performance.now(), graders };
        } catch {
          // Returns the last known list.
        }
      if (performance.now() - attached.at > leaseMs) return [];
      return attached.graders;
    },

    async close() {
      closing.abort();
      clearInterval(tidying);
      for (const { runningJobs } of consumers) runningJobs.withdrawAll();
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(timeout.resolve, CLOSE_MS);
      const ended = [...[...consumers].map((one) => one.ended), ...readers];
      await Promise.race([Promise.allSettled(ended), timeout.promise]);
      clearTimeout(timer);
      control?.close();
      connection.close();
    },
  };
}
