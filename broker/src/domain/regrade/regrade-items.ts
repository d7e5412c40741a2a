import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import type { RegradeItemRow } from "../../records/tables.ts";
import { DEADLINES, MAX_ATTEMPTS, MAX_STARTS } from "../submissions/deadlines.ts";
import { addAttempt } from "../submissions/insert-submission.ts";

/** Returns the item of a submission in a running regrade; undefined when there is none. */
export const findOpenItem = (trx: Db, submission: string): Promise<RegradeItemRow | undefined> =>
  openItem(trx, { submission });

const openItem = lookup((trx, { submission }: { submission: string }) =>
  trx
    .selectFrom("regrade_items")
    .innerJoin("regrades", "regrades.id", "regrade_items.regrade")
    .selectAll("regrade_items")
    .where("regrades.state", "=", "running")
    .where("regrade_items.submission", "=", submission)
    .where("regrade_items.state", "!=", "done"),
);

/** Returns the regrades that have not ended. */
export const runningRegrades = statement((db, _none: Record<never, never>) =>
  db.selectFrom("regrades").selectAll().where("state", "=", "running"),
);

export async function updateItem(
  trx: Db,
  item: RegradeItemRow,
  values: Partial<Omit<RegradeItemRow, "regrade" | "submission">>,
): Promise<void> {
  await trx
    .updateTable("regrade_items")
    .set(values)
    .where("regrade", "=", item.regrade)
    .where("submission", "=", item.submission)
    .execute();
}

/** Ends an item without a verdict: the submission keeps its grade. */
export async function keepCurrentGrade(
  trx: Db,
  item: RegradeItemRow,
  reason: string,
  now: Date,
): Promise<void> {
  await loseAttempt(trx, item, now);
  await updateItem(trx, item, { state: "done", deadline_at: null, result: "kept", reason });
}

/** Gives an item whose grader was lost a new attempt; ends it after too many starts or attempts. */
export async function restartItem(
  trx: Db,
  item: RegradeItemRow,
  now: Date,
  { counts }: { counts: boolean },
): Promise<void> {
  const starts = counts ? item.starts : item.starts - 1;
  const tried = await trx
    .selectFrom("attempts")
    .select("number")
    .where("submission", "=", item.submission)
    .where("regrade", "=", item.regrade)
    .execute();
  if (starts >= MAX_STARTS || tried.length >= MAX_ATTEMPTS)
    return keepCurrentGrade(
      trx,
      item,
      `Grading was attempted ${tried.length} times, and the grader was lost.`,
      now,
    );
  await loseAttempt(trx, item, now);
  const attempt = item.attempt + 1;
  await addAttempt(trx, item.submission, attempt, item.regrade);
  const deadline_at = iso(now.getTime() + DEADLINES.submitted);
  await updateItem(trx, item, { state: "waiting", attempt, starts, deadline_at });
}

async function loseAttempt(trx: Db, item: RegradeItemRow, now: Date): Promise<void> {
  await trx
    .updateTable("attempts")
    .set({ state: "lost", finished_at: iso(now) })
    .where("submission", "=", item.submission)
    .where("number", "=", item.attempt)
    .execute();
}
