import type { Recovery } from "@crowdai/shared/queue";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { failExhausted } from "./apply-report.ts";
import { DEADLINES, MAX_ATTEMPTS, MAX_STARTS } from "./deadlines.ts";
import { appendEvents } from "./events.ts";
import { lockSubmission } from "./find-submission.ts";
import { addAttempt } from "./insert-submission.ts";
import { countRebuild } from "./queue-rebuilds.ts";
import type { Needs } from "./services.ts";

const BATCH = 200;

/** Other parts that recover together with the queue. */
export interface RecoveredParts {
  republishRegrades(trx: Db): Promise<void>;
  restartRegrades(known: KnownJobs): Promise<void>;
}

/** Returns which of these submissions a grader still holds. */
type KnownJobs = (submissions: readonly string[]) => Promise<ReadonlySet<string>>;

/** Rebuilds a queue that lost its contents from the records. */
export function createRecovery(
  context: Needs<"records" | "clock" | "log" | "announce" | "dispatchSoon">,
  parts: RecoveredParts,
): Recovery {
  const { db } = context.records;
  return {
    /** Queues everything that waits again, in the old order. */
    async republish(reason) {
      const { numUpdatedRows } = await countRebuild(context.records, async (trx) => {
        await parts.republishRegrades(trx);
        return (
          trx
            .updateTable("attempts")
            // Deliveries of a queued job count from 1 again.
            .set({ published_at: null, delivery: 0 })
            .where("state", "=", "waiting")
            .where((eb) => eb.or([eb("published_at", "is not", null), eb("delivery", ">", 0)]))
            // The few that have not ended, by the index of their deadlines: the attempts of all years are
            // many more.
            .where("submission", "in", unfinished(trx))
            .executeTakeFirst()
        );
      });
      // In a new data folder, nothing was waiting.
      if (numUpdatedRows > 0)
        context.log.info(
          { event: "jobs_requeued", reason, jobs: Number(numUpdatedRows) },
          "waiting jobs queued again",
        );
      context.dispatchSoon();
    },
    /** Gives submissions that no grader holds a new attempt, whose number fences off the old one. */
    async restart(reason, known) {
      const rows = await inGrading(db, {});
      // Not in the query: SQLite would read all submissions in that order.
      const grading = rows.sort((a, b) => a.number - b.number);
      for (let at = 0; at < grading.length; at += BATCH) {
        const ids = grading.slice(at, at + BATCH).map(({ id }) => id);
        const held = await known(ids);
        // The loss of the queue does not count against the job: only the number of attempts limits it.
        for (const id of ids) if (!held.has(id)) await restart(context, id, reason, { counts: false });
      }
      await parts.restartRegrades(known);
      context.dispatchSoon();
    },
  };
}

/** Only what has not ended has a deadline. */
const unfinished = (db: Db) => db.selectFrom("submissions").select("id").where("deadline_at", "is not", null);

const inGrading = statement((db, _none: Record<never, never>) =>
  unfinished(db).select("number").where("state", "=", "grading"),
);

/**
 * Gives a submission that is being graded a new attempt; fails it after too many starts or attempts. The
 * start of the lost attempt counts unless `counts` is false.
 */
export async function restart(
  context: Needs<"records" | "clock" | "announce">,
  id: string,
  reason: string,
  { counts = true, onlyOverdue = false } = {},
): Promise<void> {
  const restarted = await commit(context.records, "recover-queue", async (trx) => {
    const row = await lockSubmission(context.records, trx, id);
    const { challenge } = row;
    const now = context.clock();
    if (row.state !== "grading") return null;
    // Another broker may have restarted it meanwhile.
    if (onlyOverdue && (row.deadline_at === null || row.deadline_at >= iso(now))) return null;
    const starts = counts ? row.starts : row.starts - 1;
    if (starts >= MAX_STARTS || row.attempt >= MAX_ATTEMPTS)
      return { challenge, events: await failExhausted(trx, row, now) };
    await trx
      .updateTable("attempts")
      .set({ state: "lost", finished_at: iso(now) })
      .where("submission", "=", id)
      .where("number", "=", row.attempt)
      .execute();
    await addAttempt(trx, id, row.attempt + 1);
    const moved: Partial<SubmissionRow> = {
      state: "submitted",
      attempt: row.attempt + 1,
      starts,
      seq: row.seq + 1,
      deadline_at: iso(now.getTime() + DEADLINES.submitted),
    };
    await trx.updateTable("submissions").set(moved).where("id", "=", id).execute();
    const events = await appendEvents(trx, row, iso(now), [{ type: "requeued", data: { reason } }]);
    return { challenge, events };
  });
  if (restarted) context.announce(restarted.challenge, restarted.events);
}
