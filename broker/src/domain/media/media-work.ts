import { randomBytes } from "node:crypto";
import type { StoredFile } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { MediaWorkRow, SubmissionRow } from "../../records/tables.ts";
import { takeBoards } from "../leaderboard/boards.ts";
import { type MediaColumns, typeOfKey } from "./media-keys.ts";

// The outbox of media: written with the grade, in its transaction, and worked off after it. A grade waits for nothing here.

/** Nobody guesses it, and nothing else has it: it is in the keys of what is made. */
const createName = () => randomBytes(16).toString("hex");

/** Notes that media are to be made of what the evaluator stored, in the transaction that writes the grade. */
export async function queueMedia(
  trx: Db,
  row: Pick<SubmissionRow, "id" | "attempt">,
  source: StoredFile | null,
  now: Date,
  replaces: string[] = [],
): Promise<void> {
  const work = {
    attempt: row.attempt,
    source: source && JSON.stringify(source),
    replaces: JSON.stringify(replaces),
    name: createName(),
    tries: 0,
    due_at: iso(now),
  };
  await trx
    .insertInto("media_work")
    .values({ submission: row.id, ...work })
    .onConflict((conflict) => conflict.column("submission").doUpdateSet(work))
    .execute();
}

/** The same for a grade that takes the place of an older one: the older one's media go. */
export async function replaceMedia(
  trx: Db,
  row: Pick<SubmissionRow, "id"> & MediaColumns & { regrade_attempt: number },
  source: StoredFile | null,
  now: Date,
): Promise<void> {
  const shown = [row.media_large, row.media_thumbnail, row.media_preview];
  const waiting = await trx
    .selectFrom("media_work")
    .selectAll()
    .where("submission", "=", row.id)
    .executeTakeFirst();
  // Only what the broker made itself: what an outside grader named is not ours to remove.
  const replaces = [...shown, ...(waiting ? replacedBy(waiting) : [])].filter(
    (key): key is string => key !== null && typeOfKey(key) !== null,
  );
  if (source || waiting || replaces.length > 0)
    await queueMedia(trx, { id: row.id, attempt: row.regrade_attempt }, source, now, [...new Set(replaces)]);
}

export const replacedBy = ({ replaces }: Pick<MediaWorkRow, "replaces">): string[] => JSON.parse(replaces);

/** Whether a submission's media are still being made. */
export async function areMediaAwaited(db: Db, submission: string): Promise<boolean> {
  const row = await db
    .selectFrom("media_work")
    .select("submission")
    .where("submission", "=", submission)
    .where("source", "is not", null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes work that is due, for `leaseMs`: whoever took it is gone when that ends. Null when there is none. */
export async function takeMediaWork(db: Db, now: Date, leaseMs: number): Promise<MediaWorkRow | null> {
  for (;;) {
    const row = await db
      .selectFrom("media_work")
      .selectAll()
      .where("due_at", "<=", iso(now))
      .orderBy("due_at")
      .limit(1)
      .executeTakeFirst();
    if (!row) return null;
    const taken = { tries: row.tries + 1, due_at: iso(now.getTime() + leaseMs) };
    const { numUpdatedRows } = await db
      .updateTable("media_work")
      .set(taken)
      .where("submission", "=", row.submission)
      .where("name", "=", row.name)
      .where("due_at", "=", row.due_at)
      .where("tries", "=", row.tries)
      .executeTakeFirst();
    if (numUpdatedRows === 1n) return { ...row, ...taken };
  }
}

/** Puts work off, or holds on to it. */
export async function postponeMediaWork(
  db: Db,
  { submission, name }: MediaWorkRow,
  until: Date,
  tries?: number,
): Promise<void> {
  await db
    .updateTable("media_work")
    .set({ due_at: iso(until), ...(tries === undefined ? {} : { tries }) })
    .where("submission", "=", submission)
    .where("name", "=", name)
    .execute();
}

/** Ends work with what the submission shows from now on; false when a newer grade has taken its place. */
export async function endMediaWork(
  trx: Db,
  { submission, name, source }: MediaWorkRow,
  shown: MediaColumns & { media_dropped: string | null },
): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom("media_work")
    .where("submission", "=", submission)
    .where("name", "=", name)
    .executeTakeFirst();
  if (numDeletedRows !== 1n) return false;
  if (source === null) return true;
  const row = await trx
    .updateTable("submissions")
    .set(shown)
    .where("id", "=", submission)
    .returning(["challenge", "round"])
    .executeTakeFirst();
  // Whoever looks at the board is told that it shows something new.
  if (row && shown.media_large !== null) await takeBoards(trx, row);
  return true;
}
