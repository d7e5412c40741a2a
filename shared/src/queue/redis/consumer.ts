import { markedStep } from "../../marked-steps.ts";
import type { Consumption, Delivery } from "../job-queue.ts";
import { pause } from "../pause.ts";
import { servedQueues } from "../queue-names.ts";
import { createBlockingRead } from "./blocking-read.ts";
import { EXCHANGE } from "./job-scripts.ts";
import { RETURN_UNSEEN } from "./lease-scripts.ts";
import { consumerName, createLeases } from "./leases.ts";
import type { QueueLog } from "./queue-log.ts";
import type { Client, ReconnectingConnection } from "./reconnecting-connection.ts";
import {
  createRunningJobs,
  deliveryOf,
  type RunningJob,
  type RunningJobs,
  type TakenReply,
} from "./running-jobs.ts";
import { type Argument, runScript } from "./script.ts";

export interface ConsumerOptions {
  redis: () => Client;
  connection: ReconnectingConnection;
  base: string;
  leaseMs: number;
  log: QueueLog;
  consumption: Consumption;
  handle: (delivery: Delivery) => Promise<void>;
  /** Aborted when the queue is closed. */
  closing: AbortSignal;
}

export interface Consumer {
  /** For jobs that are cancelled or replaced elsewhere. */
  runningJobs: RunningJobs;
  /** Call this after reconnecting. */
  reconnected(): void;
  ended: Promise<void>;
}

const MIN_BACKOFF_MS = 10;
const MAX_BACKOFF_MS = 1000;
const CLAIM_EVERY_MS = 700;
const RETRY_MS = 200;
/** How long a stopping consumer tries to report its last jobs to Redis. */
const SHUTDOWN_MS = 5000;

/**
 * Takes jobs for one grader. Each exchange with Redis settles finished jobs and takes as many as there are
 * free slots. When the queue is empty, a blocking read waits for the next job.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { connection, base, leaseMs, log, consumption, handle, closing } = options;
  const consumer = consumerName(consumption.grader);
  const runningJobs = createRunningJobs();
  const leases = createLeases({ connection, base, consumer, leaseMs, consumption, runningJobs, log });
  const reading = createBlockingRead({ redis: options.redis, connection, base, consumer });
  const stopping = AbortSignal.any([consumption.signal, closing]);

  let running = 0;
  let read: Promise<void> | null = null;
  let adopted: [challenge: string, id: string][] = [];
  /** Entries without a valid job, which are settled as done. */
  let invalid: [challenge: string, id: string][] = [];
  let returnedInARow = 0;
  /** 0 without backoff. */
  let backOffUntil = 0;
  let claimedAt = 0;
  let unsure = false;
  let isEmpty = false;
  /**
   * Queues of challenges and whether their group is known to exist, in round-robin order: least recently
   * served first.
   */
  const ensured = new Map<string, boolean>();
  let wake = () => {};

  const served = () => {
    const now = new Set(servedQueues(consumption));
    for (const challenge of ensured.keys()) if (!now.has(challenge)) ensured.delete(challenge);
    for (const challenge of now) if (!ensured.has(challenge)) ensured.set(challenge, false);
    return [...ensured.keys()];
  };
  const freeSlots = () =>
    stopping.aborted || backOffUntil > 0 ? 0 : Math.max(0, consumption.concurrency - running);
  const hasUnreported = () =>
    runningJobs.all().some(({ settled }) => settled !== null) || adopted.length + invalid.length > 0;

  async function run(): Promise<void> {
    const onStop = () => {
      if (read) reading.interrupt();
      wake();
    };
    stopping.addEventListener("abort", onStop);
    await leases.beat();
    while (!closing.aborted && (!stopping.aborted || running > 0 || read || hasUnreported())) {
      const failed = await step().then(
        () => false,
        (error) => {
          unsure = true;
          if (connection.connected)
            log.warn({ event: "queue_exchange_failed", err: error }, "queue exchange failed, retrying");
          return true;
        },
      );
      if (failed && stopping.aborted && running === 0) break;
      if (failed) await pause(RETRY_MS, closing);
    }
    while (running > 0) await waitForWork();
    stopping.removeEventListener("abort", onStop);
    await shutDown();
  }

  async function step(): Promise<void> {
    // Checked once per step: a backoff that ends within a step would neither free slots nor wake the loop.
    if (performance.now() >= backOffUntil) backOffUntil = 0;
    if (unsure && !read) await returnUnseen(false);
    // The pending read may deliver one job.
    const free = Math.max(0, freeSlots() - (read ? 1 : 0));
    if (free > 0 && !read && performance.now() - claimedAt > CLAIM_EVERY_MS) await claim(free);
    else if (hasUnreported() || (free > 0 && !isEmpty)) await exchange(free);
    else if (free > 0 && !read) startReading();
    else await waitForWork();
  }

  /** Settles finished jobs and takes new ones. */
  async function exchange(free: number): Promise<void> {
    const challenges = free > 0 ? served() : [];
    const all = runningJobs.all();
    const done = all.filter(({ settled }) => settled === "done");
    const back = all.filter(({ settled }) => settled === "returned");
    // Copied, because a read that ends in the meantime adds entries for the next exchange.
    const adopting = [...adopted];
    const args: Argument[] = [consumer, free, done.length + invalid.length];
    for (const { challenge, id, job } of done) args.push(challenge, id, job.submission, job.attempt);
    for (const [challenge, id] of invalid) args.push(challenge, id, "", 0);
    args.push(back.length);
    for (const { challenge, id, job } of back) args.push(challenge, id, job.submission, job.attempt);
    args.push(adopting.length, ...adopting.flat());
    for (const challenge of challenges) args.push(challenge, ensured.get(challenge) ? 1 : 0);
    const began = performance.now();
    const [lost, taken] = (await markedStep("queue.exchange", () =>
      connection.use((client) => runScript(client, base, EXCHANGE, args)),
    )) as [number, TakenReply[]];
    if (lost)
      log.warn({ event: "queue_jobs_lost" }, "queue lost jobs or their group, recovering from the records");
    for (const one of [...done, ...back]) runningJobs.remove(one);
    adopted = adopted.filter((one) => !adopting.includes(one));
    invalid = [];
    for (const challenge of challenges) ensured.set(challenge, true);
    isEmpty = taken.length < free;
    await takeAll(taken, performance.now() - began);
  }

  async function claim(free: number): Promise<void> {
    claimedAt = performance.now();
    await takeAll(await leases.claim(served(), free), performance.now() - claimedAt);
  }

  /** After a slow reply, another grader may have claimed the jobs. The leases show that. */
  async function takeAll(taken: TakenReply[], waitedMs: number): Promise<void> {
    const added = taken.map(accept).filter((one) => one !== null);
    if (added.length > 0 && waitedMs > leaseMs / 3) await leases.beat();
    for (const job of added) {
      // Moves the challenge to the end of the round-robin order.
      if (ensured.delete(job.challenge)) ensured.set(job.challenge, true);
      if (stopping.aborted) job.settled ??= "returned";
      else if (job.settled === null && runningJobs.has(job.id)) void work(job);
    }
  }

  function accept(reply: TakenReply): RunningJob | null {
    try {
      return runningJobs.add(reply);
    } catch (error) {
      log.error(
        { event: "queue_entry_invalid", challenge: reply[0], entry: reply[1], err: error },
        "invalid queue entry discarded",
      );
      invalid.push([reply[0], reply[1]]);
      return null;
    }
  }

  async function work(job: RunningJob): Promise<void> {
    running++;
    try {
      await handle(deliveryOf(job));
      job.settled ??= "done";
      returnedInARow = 0;
    } catch {
      job.settled ??= "returned";
      backOffUntil = performance.now() + Math.min(MIN_BACKOFF_MS * 2 ** returnedInARow++, MAX_BACKOFF_MS);
    }
    running--;
    // A slot is free, and the queue may have more jobs.
    isEmpty = false;
    wake();
  }

  function startReading(): void {
    const challenges = served();
    read = (challenges.length > 0 ? reading.next(challenges) : pause(RETRY_MS, closing).then(() => []))
      .then(
        (entries) => {
          adopted.push(...entries);
        },
        async (error) => {
          unsure ||= !/NOGROUP/.test((error as Error).message);
          await pause(RETRY_MS, closing);
        },
      )
      .then(() => {
        read = null;
        isEmpty = false;
        wake();
      });
  }

  /** Waits until a job is done, the read or the backoff ends, or the consumer is to stop. */
  async function waitForWork(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const rest = Math.max(0, backOffUntil - performance.now());
    const timer = backOffUntil > 0 ? setTimeout(resolve, rest) : undefined;
    await promise;
    clearTimeout(timer);
  }

  async function returnUnseen(leaves: boolean): Promise<void> {
    const challenges = [...ensured.keys()];
    const ids = runningJobs.all().map(({ id }) => id);
    const args = [consumer, leaves ? 1 : 0, challenges.length, ...challenges, ...ids];
    await markedStep("queue.return-unseen", () =>
      connection.use((client) => runScript(client, base, RETURN_UNSEEN, args)),
    );
    unsure = false;
  }

  async function shutDown(): Promise<void> {
    const end = performance.now() + SHUTDOWN_MS;
    await leases.stop();
    for (;;)
      try {
        if (hasUnreported()) await exchange(0);
        await returnUnseen(true);
        break;
      } catch (error) {
        if (closing.aborted || performance.now() > end) {
          log.warn(
            { event: "queue_shutdown_failed", err: error },
            "last jobs not reported to Redis, they will be delivered again",
          );
          break;
        }
        await pause(RETRY_MS, closing);
      }
    reading.close();
  }

  return {
    runningJobs,
    reconnected: () => void leases.beat(),
    ended: stopping.aborted ? Promise.resolve(shutDownUnstarted()) : run(),
  };

  function shutDownUnstarted(): void {
    void leases.stop();
    reading.close();
  }
}
