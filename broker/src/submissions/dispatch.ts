import type { JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "pino";
import type { Catalogue } from "../challenges/catalogue.ts";
import { type Clock, iso } from "../clock.ts";
import type { Records } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";
import { putRegradesInLine } from "../regrade/put-in-line.ts";
import { jobOf } from "./job-of.ts";

const BATCH = 500;
const RETRY_MS = 1000;

export interface Dispatcher {
  /** Puts every attempt in line that is not yet. Returns at once; asking again while it works is cheap. */
  soon(): void;
  /** Whether the queue refused the latest try. */
  stalled(): boolean;
  /** Since when it refuses; null when it does not. */
  stalledSince(): Date | null;
  stop(): Promise<void>;
}

/**
 * Moves attempts from the records to the queue. An attempt is marked when the queue has it; one that goes out
 * twice, because the mark was lost in a crash, is the same job to the queue and one grade in the records.
 */
export function createDispatcher(options: {
  records: Records;
  queue: JobQueue;
  catalogue: Catalogue;
  clock: Clock;
  log: Logger;
}): Dispatcher {
  const { records, queue, catalogue, clock, log } = options;
  let working: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let refusedSince: Date | null = null;
  let retry: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    do {
      again = false;
      try {
        while ((await dispatchBatch()) === BATCH && !stopped);
        if (!stopped) await putRegradesInLine({ records, queue, catalogue, clock });
        refusedSince = null;
      } catch (error) {
        refusedSince ??= clock();
        log.warn({ err: error }, "the queue took no jobs; trying again");
        retry = setTimeout(soon, RETRY_MS);
      }
    } while (again && !stopped);
  }

  async function dispatchBatch(): Promise<number> {
    const rows = await records.db
      .selectFrom("attempts")
      .innerJoin("submissions", (join) =>
        join
          .onRef("submissions.id", "=", "attempts.submission")
          .onRef("submissions.attempt", "=", "attempts.number"),
      )
      .leftJoin("submission_code", "submission_code.submission", "submissions.id")
      .selectAll("submissions")
      .select(["tree_key", "tree_size", "tree_sha256"])
      .where("attempts.state", "=", "waiting")
      .where("attempts.published_at", "is", null)
      .where("submissions.state", "=", "submitted")
      .where((eb) => eb.or([eb("submission_code.holds", "is", null), eb("submission_code.holds", "=", 0)]))
      .where("submissions.challenge", "in", [...catalogue.all().keys(), ""])
      .orderBy("submissions.number")
      .limit(BATCH)
      .execute();
    // All at once, in their order: a queue over a network takes them in few round trips.
    const results = await Promise.allSettled(
      rows.map((row) => queue.publish(jobOf(row, row.attempt, catalogue.get(row.challenge)))),
    );
    const published = rows.filter((_, index) => results[index]?.status === "fulfilled");
    await mark(published);
    const refusal = results.find((result) => result.status === "rejected");
    if (refusal) throw refusal.reason;
    return published.length;
  }

  async function mark(rows: SubmissionRow[]): Promise<void> {
    if (rows.length === 0) return;
    await records.db
      .updateTable("attempts")
      .set({ published_at: iso(clock()) })
      .where((eb) => eb.or(rows.map((row) => eb.and({ submission: row.id, number: row.attempt }))))
      .execute();
  }

  function soon(): void {
    if (stopped) return;
    if (working) again = true;
    else
      working = run().finally(() => {
        working = null;
        if (again) soon();
      });
  }

  return {
    soon,
    stalled: () => refusedSince !== null,
    stalledSince: () => refusedSince,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await working;
    },
  };
}
