import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import { findClosure } from "./find-closure.ts";

/** Whether everyone may know the seeds of a challenge: it is closed, and no agent plays or waits any more. */
export async function areSeedsShown(db: Db, challenge: string): Promise<boolean> {
  if (!(await findClosure(db, challenge))) return false;
  return (await unfinishedOf(db, { challenge })) === undefined;
}

const unfinishedOf = lookup((db, { challenge }: { challenge: string }) =>
  db
    .selectFrom("submissions")
    .select("id")
    .where("challenge", "=", challenge)
    .where("function", "=", "submit")
    .where("state", "in", ["initiated", "submitted", "grading"])
    .limit(1),
);
