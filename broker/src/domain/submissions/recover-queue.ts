import type { Recovery } from "@crowdai/shared/queue";
import { iso } from "../../base/clock.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { republishRegrades, restartRegrades } from "../regrade/sweep-regrades.ts";
import { failExhausted } from "./apply-report.ts";
import type { SubmissionContext } from "./context.ts";
import { DEADLINES, MAX_ATTEMPTS, MAX_STARTS } from "./deadlines.ts";
import { appendEvents } from "./events.ts";
import { lockSubmission } from "./find-submission.ts";
import { addAttempt } from "./insert-submission.ts";

const BATCH = 200;

/** How the records rebuild a queue that lost its contents; `forget` drops what the dispatcher believes the queue to have. */
export function createRecovery(context: SubmissionContext, forget: () => void): Recovery {
  const { db } = context.records;
  return {
    /** What waits is put in line again, in the old order. */
    async republish(reason) {
      forget();
      const { numUpdatedRows } = await db
        .updateTable("attempts")
        // What is put in line anew is handed out from 1 again.
        .set({ published_at: null, delivery: 0 })
        .where("state", "=", "waiting")
        .where("published_at", "is not", null)
        .executeTakeFirst();
      await republishRegrades(context);
      context.log.info({ reason, jobs: Number(numUpdatedRows) }, "jobs that wait are put in line again");
      context.dispatchSoon();
    },
    /** What was being graded, and is in nobody's hands, gets a new attempt, whose number fences off the old one. */
    async restart(reason, known) {
      const grading = await db
        .selectFrom("submissions")
        .select("id")
        .where("state", "=", "grading")
        .orderBy("number")
        .execute();
      for (let at = 0; at < grading.length; at += BATCH) {
        const ids = grading.slice(at, at + BATCH).map(({ id }) => id);
        const held = await known(ids);
        // Whatever took the queue down says nothing against the job: only the number of attempts bounds it.
        for (const id of ids) if (!held.has(id)) await restart(context, id, reason, { counts: false });
      }
      await restartRegrades(context, known);
      context.dispatchSoon();
    },
  };
}

/**
 * Gives a submission that is being graded a new attempt; ends it when it was started, or tried, too often. The start of the lost
 * attempt counts against the job unless `counts` is false.
 */
export async function restart(
  context: SubmissionContext,
  id: string,
  reason: string,
  { counts = true } = {},
): Promise<void> {
  const events = await context.records.transaction(async (trx) => {
    const row = await lockSubmission(context.records, trx, id);
    if (row.state !== "grading") return [];
    const now = context.clock();
    const starts = counts ? row.starts : row.starts - 1;
    if (starts >= MAX_STARTS || row.attempt >= MAX_ATTEMPTS) return failExhausted(trx, row, now);
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
    return appendEvents(trx, row, iso(now), [{ type: "requeued", data: { reason } }]);
  });
  context.announce(events);
}
