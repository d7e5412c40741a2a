import { randomUUID } from "node:crypto";
import type { Consumption } from "../job-queue.ts";
import { ADD_AGAIN, CLAIM, RENEW_LEASES } from "./lease-scripts.ts";
import type { QueueLog } from "./queue-log.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";
import type { RunningJob, RunningJobs, TakenReply } from "./running-jobs.ts";
import { runScript } from "./script.ts";

/** A lease is renewed this often within its time. */
const BEATS = 3.5;
/** How late a claim may run. */
const TOLERANCE_MS = 1000;

export interface Leases {
  /** Renews the leases of what is in hand, and lets go of what is no longer this consumer's. Never rejects. */
  beat(): Promise<void>;
  /** Claims jobs whose graders gave no sign for a lease, as many as there is room for. */
  claim(challenges: readonly string[], room: number): Promise<TakenReply[]>;
  stop(): void;
}

/**
 * A consumer's signs of life. It claims others' jobs only when it was in touch with Redis for a whole lease without a gap: after an
 * outage everyone's entries look idle, and the healthy renew theirs first.
 */
export function createLeases(options: {
  link: ReconnectingConnection;
  base: string;
  consumer: string;
  leaseMs: number;
  consumption: Consumption;
  runningJobs: RunningJobs;
  log: QueueLog;
}): Leases {
  const { link, base, consumer, leaseMs, consumption, runningJobs, log } = options;
  let stopped = false;
  let beating: Promise<void> | null = null;
  let last: { life: number; serverTime: number; at: number } | null = null;
  /** Of the latest heartbeat that all jobs in hand were followed up after. */
  let seen: { life: number; epoch: string } | null = null;
  let inTouchSince = 0;
  const timer = setInterval(() => void beat(), leaseMs / BEATS);

  function beat(): Promise<void> {
    beating ??= renew()
      .catch((error) => {
        if (!stopped && link.connected) log.warn({ err: error }, "a heartbeat failed");
      })
      .finally(() => {
        beating = null;
      });
    return beating;
  }

  async function renew(): Promise<void> {
    const { grader, challenges, concurrency, signal } = consumption;
    const about = signal.aborted ? null : { grader, challenges: [...challenges()], concurrency };
    const held = runningJobs.all();
    const args = held.flatMap(({ challenge, id, job, delivery }) => [
      challenge,
      id,
      job.submission,
      job.attempt,
      delivery,
    ]);
    const [serverTime, epoch, ...states] = (await link.use((client) =>
      // One that stops is not listed any more, though it keeps what it has.
      runScript(client, base, RENEW_LEASES, [consumer, JSON.stringify(about), about ? leaseMs : 0, ...args]),
    )) as [number, string, ...string[]];
    const at = performance.now();
    const { life } = link;
    if (last?.life !== life || at - last.at > leaseMs / 2) inTouchSince = at;
    last = { life, serverTime, at };
    // What Redis does not know was cancelled, unless Redis lost it.
    const mayBeLost = seen !== null && (seen.epoch !== epoch || seen.life !== life);
    for (const [i, one] of held.entries()) await follow(one, states[i]!, mayBeLost);
    seen = { life, epoch };
  }

  async function follow(one: RunningJob, state: string, mayBeLost: boolean): Promise<void> {
    if (state === "ok" || one.settled !== null || !runningJobs.has(one.id)) return;
    if (state === "lost" || (state === "gone" && !mayBeLost)) return release(one);
    if (state === "gone" || state === "again") {
      const { challenge, job, delivery, text } = one;
      const args = [consumer, challenge, job.submission, job.attempt, delivery, text];
      const id = (await link.use((client) => runScript(client, base, ADD_AGAIN, args))) as string | null;
      if (id === null) return release(one);
      log.warn({ submission: job.submission }, "the queue lost a job in hand; it was added again");
      one.id = id;
    } else one.id = state;
  }

  function release(one: RunningJob): void {
    runningJobs.remove(one);
    one.abort.abort();
  }

  return {
    beat,
    async claim(challenges, room) {
      const taken: TakenReply[] = [];
      const began = performance.now();
      if (!last || last.life !== link.life || began - inTouchSince < leaseMs) return taken;
      for (const challenge of challenges) {
        let cursor = "0-0";
        do {
          const now = Math.round(last.serverTime + performance.now() - last.at);
          const args = [consumer, challenge, leaseMs, cursor, room - taken.length, now, TOLERANCE_MS];
          const [next, lost, replies] = (await link.use((client) =>
            runScript(client, base, CLAIM, args),
          )) as [string, number, TakenReply[]];
          if (lost > 0) log.warn({ challenge, lost }, "jobs were deleted from the queue; asking the records");
          taken.push(...replies);
          cursor = next;
        } while (cursor !== "0-0" && taken.length < room);
        if (taken.length >= room) break;
      }
      return taken;
    },
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** Unique to one call of consume: a grader that comes back under its name does not take its own old jobs for held. */
export function consumerName(grader: string): string {
  return `${grader}:${randomUUID()}`;
}
