import { setTimeout as sleep } from "node:timers/promises";
import type { Consumption, Delivery } from "../job-queue.ts";
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
  link: ReconnectingConnection;
  base: string;
  leaseMs: number;
  log: QueueLog;
  consumption: Consumption;
  handle: (delivery: Delivery) => Promise<void>;
  /** Aborted when the queue is closed. */
  closing: AbortSignal;
}

export interface Consumer {
  /** For news from elsewhere: what is cancelled or replaced. */
  runningJobs: RunningJobs;
  /** To be called when there is a connection again. */
  reconnected(): void;
  ended: Promise<void>;
}

const MIN_BACKOFF_MS = 10;
const MAX_BACKOFF_MS = 1000;
const CLAIM_EVERY_MS = 700;
const RETRY_MS = 200;
/** How long a consumer that ends tries to tell Redis what it did. */
const SHUTDOWN_MS = 5000;

/**
 * Takes jobs for one grader. One exchange after another with Redis tells what became of jobs and takes as many as there are free
 * slots; when there are none to take, a blocking read waits for the next.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { link, base, leaseMs, log, consumption, handle, closing } = options;
  const consumer = consumerName(consumption.grader);
  const runningJobs = createRunningJobs();
  const leases = createLeases({ link, base, consumer, leaseMs, consumption, runningJobs, log });
  const reading = createBlockingRead({ redis: options.redis, link, base, consumer });
  const stopping = AbortSignal.any([consumption.signal, closing]);

  let running = 0;
  let read: Promise<void> | null = null;
  let found: [challenge: string, id: string][] = [];
  /** Entries that hold no job; told as done. */
  let broken: [challenge: string, id: string][] = [];
  let returnedInARow = 0;
  /** 0 when it does not rest. */
  let backOffUntil = 0;
  let claimedAt = 0;
  let unsure = false;
  let dry = false;
  /** Challenges whose group is known to exist; in the order of turns, the one served longest ago first. */
  const ensured = new Map<string, boolean>();
  let wake = () => {};

  const served = () => {
    const now = new Set(consumption.challenges());
    for (const challenge of ensured.keys()) if (!now.has(challenge)) ensured.delete(challenge);
    for (const challenge of now) if (!ensured.has(challenge)) ensured.set(challenge, false);
    return [...ensured.keys()];
  };
  const room = () =>
    stopping.aborted || backOffUntil > 0 ? 0 : Math.max(0, consumption.concurrency - running);
  const hasUnreported = () =>
    runningJobs.all().some(({ settled }) => settled !== null) || found.length + broken.length > 0;

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
          if (link.connected)
            log.warn({ err: error }, "Redis did not take part in an exchange; trying again");
          return true;
        },
      );
      if (failed && stopping.aborted && running === 0) break;
      if (failed) await pause(RETRY_MS);
    }
    while (running > 0) await waitForWork();
    stopping.removeEventListener("abort", onStop);
    await shutDown();
  }

  async function step(): Promise<void> {
    // Looked at once a step: a rest that ended within one would neither leave room nor wake anybody.
    if (performance.now() >= backOffUntil) backOffUntil = 0;
    if (unsure && !read) await returnUnseen(false);
    // The read that waits may bring one.
    const free = Math.max(0, room() - (read ? 1 : 0));
    if (free > 0 && !read && performance.now() - claimedAt > CLAIM_EVERY_MS) await claim(free);
    else if (hasUnreported() || (free > 0 && !dry)) await exchange(free);
    else if (free > 0 && !read) startReading();
    else await waitForWork();
  }

  /** Tells what became of jobs and takes new ones. */
  async function exchange(free: number): Promise<void> {
    const challenges = free > 0 ? served() : [];
    const all = runningJobs.all();
    const done = all.filter(({ settled }) => settled === "done");
    const back = all.filter(({ settled }) => settled === "handed back");
    // As they are now: a read that ends meanwhile adds to them, and what it adds is told next time.
    const [adopted, discarded] = [[...found], [...broken]];
    const args: Argument[] = [consumer, free, done.length + discarded.length];
    for (const { challenge, id, job } of done) args.push(challenge, id, job.submission);
    for (const [challenge, id] of discarded) args.push(challenge, id, "");
    args.push(back.length);
    for (const { challenge, id, job } of back) args.push(challenge, id, job.submission);
    args.push(adopted.length, ...adopted.flat());
    for (const challenge of challenges) args.push(challenge, ensured.get(challenge) ? 1 : 0);
    const began = performance.now();
    const [lost, taken] = (await link.use((client) => runScript(client, base, EXCHANGE, args))) as [
      number,
      TakenReply[],
    ];
    if (lost) log.warn({}, "the queue lost jobs or their group; asking the records");
    for (const one of [...done, ...back]) runningJobs.remove(one);
    found = found.filter((one) => !adopted.includes(one));
    broken = broken.filter((one) => !discarded.includes(one));
    for (const challenge of challenges) if (ensured.has(challenge)) ensured.set(challenge, true);
    dry = taken.length < free;
    await takeAll(taken, performance.now() - began);
  }

  async function claim(free: number): Promise<void> {
    claimedAt = performance.now();
    await takeAll(await leases.claim(served(), free), performance.now() - claimedAt);
  }

  /** After a long wait for a reply another grader may have what it brought: the leases tell. */
  async function takeAll(taken: TakenReply[], waitedMs: number): Promise<void> {
    const added = taken.map(accept).filter((one) => one !== null);
    if (added.length > 0 && waitedMs > leaseMs / 3) await leases.beat();
    for (const held of added) {
      // Its turn is over for now.
      if (ensured.delete(held.challenge)) ensured.set(held.challenge, true);
      if (stopping.aborted) held.settled = "handed back";
      else if (runningJobs.has(held.id)) void work(held);
    }
  }

  function accept(reply: TakenReply): RunningJob | null {
    try {
      return runningJobs.add(reply);
    } catch (error) {
      log.error(
        { challenge: reply[0], entry: reply[1], err: error },
        "an entry that is no job was thrown away",
      );
      broken.push([reply[0], reply[1]]);
      return null;
    }
  }

  async function work(held: RunningJob): Promise<void> {
    running++;
    try {
      await handle(deliveryOf(held));
      held.settled = "done";
      returnedInARow = 0;
    } catch {
      held.settled = "handed back";
      backOffUntil = performance.now() + Math.min(MIN_BACKOFF_MS * 2 ** returnedInARow++, MAX_BACKOFF_MS);
    }
    running--;
    // A slot is free: there may be more to take.
    dry = false;
    wake();
  }

  function startReading(): void {
    const challenges = served();
    read = (challenges.length > 0 ? reading.next(challenges) : pause(RETRY_MS).then(() => []))
      .then(
        (entries) => {
          found.push(...entries);
        },
        async (error) => {
          unsure ||= !/NOGROUP/.test((error as Error).message);
          await pause(RETRY_MS);
        },
      )
      .then(() => {
        read = null;
        dry = false;
        wake();
      });
  }

  /** Until a job is done, the read or a rest ends, or the consumer is to stop. */
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
    await link.use((client) => runScript(client, base, RETURN_UNSEEN, args));
    unsure = false;
  }

  async function shutDown(): Promise<void> {
    const end = performance.now() + SHUTDOWN_MS;
    for (;;)
      try {
        if (hasUnreported()) await exchange(0);
        await returnUnseen(true);
        break;
      } catch (error) {
        if (closing.aborted || performance.now() > end) {
          log.warn(
            { err: error },
            "Redis was not told what became of the last jobs; they are handed out again",
          );
          break;
        }
        await pause(RETRY_MS);
      }
    leases.stop();
    reading.close();
  }

  const pause = (ms: number) => sleep(ms, undefined, { signal: closing }).catch(() => {});

  return {
    runningJobs,
    reconnected: () => void leases.beat(),
    ended: stopping.aborted ? Promise.resolve(shutDownUnstarted()) : run(),
  };

  function shutDownUnstarted(): void {
    leases.stop();
    reading.close();
  }
}
