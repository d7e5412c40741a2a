import { randomUUID } from "node:crypto";
import { markedStep } from "../../marked-steps.ts";
import { attachedGrader, type Consumption } from "../job-queue.ts";
import { ADD_AGAIN, CLAIM, RENEW_LEASES } from "./lease-scripts.ts";
import type { QueueLog } from "./queue-log.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";
import type { RunningJob, RunningJobs, TakenReply } from "./running-jobs.ts";
import { runScript } from "./script.ts";

/** Number of heartbeats within one lease. */
const BEATS = 3.5;
/** How much a claim may be delayed. */
const TOLERANCE_MS = 1000;

export interface Leases {
  /**
   * Renews the leases of the running jobs, and aborts jobs that no longer belong to this consumer. Never
   * rejects.
   */
  beat(): Promise<void>;
  /** Claims up to `freeSlots` jobs whose graders have sent no heartbeat for a lease. */
  claim(challenges: readonly string[], freeSlots: number): Promise<TakenReply[]>;
  /** Sends no more heartbeats. Resolves when the last one has ended, after which no entry changes. */
  stop(): Promise<void>;
}

/**
 * Sends the heartbeats of a consumer. It claims jobs of others only after a whole lease of uninterrupted
 * contact with Redis: after an outage all entries look idle, and healthy graders must be able to renew theirs
 * first.
 */
export function createLeases(options: {
  connection: ReconnectingConnection;
  base: string;
  consumer: string;
  leaseMs: number;
  consumption: Consumption;
  runningJobs: RunningJobs;
  log: QueueLog;
}): Leases {
  const { connection, base, consumer, leaseMs, consumption, runningJobs, log } = options;
  let stopped = false;
  let beating: Promise<void> | null = null;
  let last: { connectionNumber: number; serverTime: number; at: number } | null = null;
  /** State at the latest heartbeat after which all running jobs were followed up. */
  let seen: { connectionNumber: number; contents: string } | null = null;
  let inTouchSince = 0;
  const timer = setInterval(() => void beat(), leaseMs / BEATS);

  function beat(): Promise<void> {
    beating ??= renew()
      .catch((error) => {
        if (!stopped && connection.connected)
          log.warn({ event: "queue_heartbeat_failed", err: error }, "queue heartbeat failed");
      })
      .finally(() => {
        beating = null;
      });
    return beating;
  }

  async function renew(): Promise<void> {
    // Graders of older versions do not advance the waiting jobs.
    const about = consumption.signal.aborted ? null : { ...attachedGrader(consumption), advances: true };
    const held = runningJobs.all();
    const args = held.flatMap(({ challenge, id, job, delivery }) => [
      challenge,
      id,
      job.submission,
      job.attempt,
      delivery,
    ]);
    const [serverTime, contents, ...states] = (await connection.use((client) =>
      // A stopping consumer is no longer listed, but keeps its jobs.
      runScript(client, base, RENEW_LEASES, [consumer, JSON.stringify(about), about ? leaseMs : 0, ...args]),
    )) as [number, string, ...string[]];
    const at = performance.now();
    const { connectionNumber } = connection;
    if (last?.connectionNumber !== connectionNumber || at - last.at > leaseMs / 2) inTouchSince = at;
    last = { connectionNumber, serverTime, at };
    // A job unknown to Redis was cancelled, unless Redis lost it.
    const mayBeLost =
      seen !== null && (seen.contents !== contents || seen.connectionNumber !== connectionNumber);
    for (const [i, one] of held.entries()) await follow(one, states[i]!, mayBeLost);
    seen = { connectionNumber, contents };
  }

  async function follow(one: RunningJob, state: string, mayBeLost: boolean): Promise<void> {
    if (state === "ok") return;
    if (state !== "lost" && state !== "gone" && state !== "again") return move(one, state);
    if (one.settled !== null || !runningJobs.has(one.id)) return;
    if (state === "lost" || (state === "gone" && !mayBeLost)) return release(one);
    const { challenge, job, delivery, text } = one;
    const args = [consumer, challenge, job.submission, job.attempt, delivery, text];
    const id = (await markedStep("queue.add-again", () =>
      connection.use((client) => runScript(client, base, ADD_AGAIN, args)),
    )) as string | null;
    if (id === null) return release(one);
    log.warn({ event: "queue_job_readded", submission: job.submission }, "lost job added to the queue again");
    move(one, id);
  }

  /**
   * Gives a job its new entry. A job that was settled under its old one meanwhile has to be settled again.
   */
  function move(one: RunningJob, id: string): void {
    // This consumer has taken the new entry as a job of its own.
    if (runningJobs.has(id)) release(one);
    else {
      one.id = id;
      if (!runningJobs.has(id)) runningJobs.restore(one);
    }
  }

  function release(one: RunningJob): void {
    runningJobs.remove(one);
    one.abort.abort();
  }

  return {
    beat,
    async claim(challenges, freeSlots) {
      const taken: TakenReply[] = [];
      const began = performance.now();
      if (!last || last.connectionNumber !== connection.connectionNumber || began - inTouchSince < leaseMs)
        return taken;
      for (const challenge of challenges) {
        let cursor = "0-0";
        do {
          const now = Math.round(last.serverTime + performance.now() - last.at);
          const args = [consumer, challenge, leaseMs, cursor, freeSlots - taken.length, now, TOLERANCE_MS];
          const [next, lost, replies] = (await markedStep("queue.claim", () =>
            connection.use((client) => runScript(client, base, CLAIM, args)),
          )) as [string, number, TakenReply[]];
          if (lost > 0)
            log.warn(
              { event: "queue_jobs_lost", challenge, lost },
              "queue lost jobs, recovering from the records",
            );
          taken.push(...replies);
          cursor = next;
        } while (cursor !== "0-0" && taken.length < freeSlots);
        if (taken.length >= freeSlots) break;
      }
      return taken;
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await beating;
    },
  };
}

/**
 * Returns a name unique to one call of consume, so that a restarted grader does not count its old jobs as
 * running.
 */
export function consumerName(grader: string): string {
  return `${grader}:${randomUUID()}`;
}
