import { iso } from "../clock.ts";
import type { SubmissionRow } from "../records/tables.ts";
import type { SubmissionContext } from "./context.ts";
import { DEADLINES, MOST_ATTEMPTS, MOST_STARTS } from "./deadlines.ts";
import { appendEvents } from "./events.ts";
import { lockSubmission } from "./find.ts";
import { addAttempt } from "./insert.ts";
import { giveUp } from "./settle.ts";

/**
 * Rebuilds a queue that lost its contents: what was being graded gets a new attempt (whose number fences off the old
 * one), and everything that waits is put in line again, in the old order. Returns how many.
 */
export async function recoverQueue(context: SubmissionContext, reason: string): Promise<number> {
  const { db } = context.records;
  const grading = await db
    .selectFrom("submissions")
    .select("id")
    .where("state", "=", "grading")
    .orderBy("number")
    .execute();
  // The whole process went down, which says nothing against the job: only the number of attempts bounds it.
  for (const { id } of grading) await restart(context, id, reason, { counts: false });
  const { numUpdatedRows } = await db
    .updateTable("attempts")
    .set({ published_at: null })
    .where("state", "=", "waiting")
    .executeTakeFirst();
  context.dispatchSoon();
  return Number(numUpdatedRows);
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
    if (starts >= MOST_STARTS || row.attempt >= MOST_ATTEMPTS) return giveUp(trx, row, now);
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
