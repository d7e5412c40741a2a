import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { readNumber } from "./challenge-numbers.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";

/** The submission of an integer id; what takes no slot, as a call or a dry run, is none to the webapp. Throws a Refusal in the webapp's words. */
export async function findNumberedSubmission(db: Db, id: string): Promise<SubmissionRow> {
  const row = await readNumberedSubmission(db, id);
  if (row) return row;
  const isWhole = /^-?\d+$/.test(id);
  const inRange = Number(id) >= -(2 ** 31) && Number(id) < 2 ** 31;
  throw new Refusal(isWhole && !inRange ? texts.outOfRange : texts.notFound(id.slice(0, 200)));
}

/** The same, or null. */
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
