import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { readNumber } from "./challenge-numbers.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";

/**
 * Finds a submission by its integer id; the webapp has no calls and dry runs. Throws a Refusal with the
 * webapp's text.
 */
export async function findNumberedSubmission(db: Db, id: string): Promise<SubmissionRow> {
  const row = await readNumberedSubmission(db, id);
  if (row) return row;
  const isWhole = /^-?\d+$/.test(id);
  const inRange = Number(id) >= -(2 ** 31) && Number(id) < 2 ** 31;
  throw new Refusal(isWhole && !inRange ? texts.outOfRange : texts.notFound(id.slice(0, 200)));
}

/** Finds a submission by its integer id, or returns null. */
export async function readNumberedSubmission(db: Db, id: string): Promise<SubmissionRow | null> {
  const number = readNumber(id);
  if (number === null) return null;
  const row = await db
    .selectFrom("submissions")
    .selectAll()
    .where("number", "=", number)
    .where("function", "=", "submit")
    .where("dry_run", "=", 0)
    .executeTakeFirst();
  return row ?? null;
}
