import { randomBytes } from "node:crypto";
import type { StoredFile } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { MediaWorkRow, SubmissionRow } from "../../records/tables.ts";
import { takeBoards } from "../leaderboard/boards.ts";
import { type MediaColumns, typeOfKey } from "./media-keys.ts";

// The outbox of media: written with the grade, in its transaction, and processed after it. A grade does not
// wait for media.

/** Unguessable and unique: it is part of the keys of the new objects. */
const createName = () => randomBytes(16).toString("hex");

/** Queues media to be made of what the evaluator stored, in the transaction that writes the grade. */
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

/** Queues media for a grade that replaces an older one, whose media are removed. */
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
  // Only objects that the broker made itself: objects named by an external grader are not removed.
  const replaces = [...shown, ...(waiting ? replacedBy(waiting) : [])].filter(
    (key): key is string => key !== null && typeOfKey(key) !== null,
  );
  if (source || waiting || replaces.length > 0)
    await queueMedia(trx, { id: row.id, attempt: row.regrade_attempt }, source, now, [...new Set(replaces)]);
}

export const replacedBy = ({ replaces }: Pick<MediaWorkRow, "replaces">): string[] => JSON.parse(replaces);

/** Returns whether a submission's media are still being made. */
export async function areMediaAwaited(db: Db, submission: string): Promise<boolean> {
  const row = await db
    .selectFrom("media_work")
    .select("submission")
    .where("submission", "=", submission)
    .where("source", "is not", null)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Claims due work for `leaseMs`; null when there is none. Work of a crashed broker is due again when its
 * lease expires.
 */
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

/** Postpones work, or extends its lease. */
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

/**
 * Completes work and writes what the submission shows from now on; false when a newer grade replaced the
 * work.
 */
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
  // Changes the board's version, so that viewers of the board reload it.
  if (row && shown.media_large !== null) await takeBoards(trx, row);
  return true;
}
