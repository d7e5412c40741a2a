import { markedStep } from "@crowdai/shared/marked-steps";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "pino";
import { type Clock, iso } from "../../base/clock.ts";
import type { Records } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Catalog } from "../challenges/catalog.ts";
import type { SeedsOf } from "../environments/session-seeds.ts";
import { createJob } from "./create-job.ts";
import { markQueued, readRebuilds } from "./queue-rebuilds.ts";

const BATCH = 500;
const RETRY_MS = 1000;
/**
 * Marks are batched for this long after the queue has the job. A crash before that publishes it twice, which
 * is harmless.
 */
const MARK_MS = 100;

export interface Dispatcher {
  /**
   * Publishes every waiting attempt that is not in the queue yet. Returns at once; calling it during a run is
   * cheap. With a row that was just committed, and no older ones before it, publishes only that row.
   */
  soon(row?: SubmissionRow): void;
  /** Whether the queue rejected the latest attempt. */
  stalled(): boolean;
  /** Since when the queue rejects jobs; null when it does not. */
  stalledSince(): Date | null;
  stop(): Promise<void>;
}

/**
 * Moves attempts from the records to the queue. An attempt is marked when the queue has it. One that is
 * published twice, because the mark was lost in a crash, is one job to the queue and one grade in the
 * records.
 */
export function createDispatcher(options: {
  records: Records;
  queue: JobQueue;
  catalog: Catalog;
  clock: Clock;
  log: Logger;
  seedsOf: SeedsOf;
  /** Queues jobs of running regrades behind those of submissions. */
  enqueueRegrades: () => Promise<void>;
}): Dispatcher {
  const { records, queue, catalog, clock, log, seedsOf, enqueueRegrades } = options;
  let working: Promise<void> | null = null;
  let again: boolean;
  let stopped = false;
  let refusedSince: Date | null = null;
  let retry: NodeJS.Timeout | undefined;
  /** Whether older attempts may wait that were never read. */
  let behind = true;
  /** How often the queue had been rebuilt when the records were last read for what waits. */
  let rebuilds = 0;
  /** Published one by one and not marked yet, each with whether the queue accepted it. */
  const unmarked = new Map<string, { row: SubmissionRow; taken: boolean }>();
  const publishing = new Set<Promise<void>>();
  let marking: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    again = false;
    try {
      while ((await dispatchBatch()) === BATCH && !stopped);
      if (!stopped) await enqueueRegrades();
      refusedSince = null;
      behind = false;
    } catch (error) {
      refused(error);
    }
  }

  function refused(error: unknown): void {
    behind = true;
    refusedSince ??= clock();
    log.warn({ event: "dispatch_failed", err: error }, "dispatching jobs to the queue failed; retrying");
    clearTimeout(retry);
    retry = setTimeout(soon, RETRY_MS);
  }

  async function publishOne(row: SubmissionRow): Promise<void> {
    const one = { row, taken: false };
    unmarked.set(keyOf(row), one);
    try {
      const code = { tree_key: null, tree_size: null, tree_sha256: null };
      await markedStep("publish.new-job", () =>
        queue.publish(createJob({ ...row, ...code }, row.attempt, catalog.get(row.challenge), seedsOf)),
      );
      one.taken = true;
      marking ??= setTimeout(() => void markPublished(), MARK_MS);
    } catch (error) {
      unmarked.delete(keyOf(row));
      refused(error);
    }
  }

  async function markPublished(): Promise<void> {
    marking = undefined;
    const rows = [...unmarked.values()].filter(({ taken }) => taken).map(({ row }) => row);
    const isMarked = await mark(rows).catch((error) =>
      log.warn({ event: "dispatch_mark_failed", err: error }, "marking jobs as queued failed"),
    );
    for (const row of rows) unmarked.delete(keyOf(row));
    if (isMarked === false) soon();
  }

  async function dispatchBatch(): Promise<number> {
    // Jobs that the queue rejected go first in this batch, which keeps the order.
    await Promise.all(publishing);
    if (unmarked.size >= BATCH / 2) await markPublished();
    const now = await readRebuilds(records.db);
    // Jobs published before that may be gone with the old queue.
    if (now !== rebuilds) unmarked.clear();
    rebuilds = now;
    const found = await waitingAttempts(records.db, { ...[...catalog.all().keys()] });
    const rows = found.filter((row) => !unmarked.has(keyOf(row)));
    // All at once, in order: a queue over a network accepts them in few round trips.
    const results = await Promise.allSettled(
      rows.map((row) =>
        markedStep("publish.waiting-job", () =>
          queue.publish(createJob(row, row.attempt, catalog.get(row.challenge), seedsOf)),
        ),
      ),
    );
    const published = rows.filter((_, index) => results[index]!.status === "fulfilled");
    if (!(await mark(published))) soon();
    const refusal = results.find((result) => result.status === "rejected");
    if (refusal) throw refusal.reason;
    return found.length;
  }

  /** Resolves to false where the queue was rebuilt since, so that they have to be published again. */
  async function mark(rows: SubmissionRow[]): Promise<boolean> {
    if (rows.length === 0) return true;
    const isMarked = await markQueued(records, rebuilds, (trx) =>
      trx
        .updateTable("attempts")
        .set({ published_at: iso(clock()) })
        .where((eb) => eb.or(rows.map((row) => eb.and({ submission: row.id, number: row.attempt }))))
        .execute(),
    );
    await withdrawCancelled(rows);
    return isMarked;
  }

  /**
   * Takes back what was cancelled while it was being published, too late for the queue to hear of it: it
   * would be graded for nothing.
   */
  async function withdrawCancelled(rows: SubmissionRow[]): Promise<void> {
    const ids = rows.map(({ id }) => id);
    const cancelled = await records.db
      .selectFrom("submissions")
      .select("id")
      .where("id", "in", ids)
      .where("state", "=", "cancelled")
      .execute();
    await Promise.allSettled(cancelled.map(({ id }) => queue.cancel(id)));
  }

  function soon(row?: SubmissionRow): void {
    if (stopped) return;
    if (row && !working && !behind) {
      const one = publishOne(row).finally(() => publishing.delete(one));
      publishing.add(one);
      return;
    }
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
      await working;
      await Promise.all(publishing);
      clearTimeout(retry);
      clearTimeout(marking);
      await markPublished();
    },
  };
}

/** Attempts of these challenges that are not in the queue, in their order. */
const waitingAttempts = statement((db, challenges: Record<number, string>) =>
  db
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
    .where("submissions.challenge", "in", [...Object.values(challenges), ""])
    .orderBy("submissions.number")
    .limit(BATCH),
);

const keyOf = ({ id, attempt }: SubmissionRow): string => `${id} ${attempt}`;
