import type { Db } from "../../records/records.ts";
import type { AttemptRow, SubmissionRow } from "../../records/tables.ts";

export interface LoggedAttempt {
  number: number;
  state: AttemptRow["state"];
  /** Whether its outcome counts. */
  accepted: boolean;
  grader: string | null;
  started_at: string | null;
  finished_at: string | null;
  evaluator_version: string | null;
  /** Shown to the organizer only: the evaluator's stderr and how it ended. */
  organiser_log: string | null;
}

/** Returns every attempt at a submission, with the organizer's log of each. */
export async function readAttempts(db: Db, { id }: Pick<SubmissionRow, "id">): Promise<LoggedAttempt[]> {
  const rows = await db
    .selectFrom("attempts")
    .select([
      "number",
      "state",
      "accepted",
      "grader",
      "started_at",
      "finished_at",
      "evaluator_version",
      "organiser_log",
    ])
    .where("submission", "=", id)
    .orderBy("number")
    .execute();
  return rows.map((row) => ({ ...row, accepted: row.accepted === 1 }));
}
