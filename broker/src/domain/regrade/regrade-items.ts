import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import type { AttemptRow, RegradeItemRow } from "../../records/tables.ts";
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

/** Returns whether a regrade has attempts that have not ended. */
export async function isOpen(db: Db, regrade: number): Promise<boolean> {
  const open = await db
    .selectFrom("regrade_items")
    .select("submission")
    .where("regrade", "=", regrade)
    .where("state", "in", ["waiting", "queued", "grading"])
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}

/** Changes an item that has not ended: a regrade may be cancelled at the same time. */
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
    .where("state", "!=", "done")
    .execute();
}

/** Changes an item's attempt, which has not ended either. */
export async function updateAttempt(
  trx: Db,
  item: RegradeItemRow,
  values: Partial<AttemptRow>,
): Promise<void> {
  await trx
    .updateTable("attempts")
    .set(values)
    .where("submission", "=", item.submission)
    .where("number", "=", item.attempt)
    .where("state", "in", ["waiting", "started"])
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

/**
 * Gives an item whose grader was lost a new attempt; ends it after too many starts or attempts. The start of
 * the lost attempt counts unless `counts` is false.
 */
export async function restartItem(
  trx: Db,
  item: RegradeItemRow,
  now: Date,
  { counts = true } = {},
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

const loseAttempt = (trx: Db, item: RegradeItemRow, now: Date): Promise<void> =>
  updateAttempt(trx, item, { state: "lost", finished_at: iso(now) });
