import { type ErrorCode, type Outcome, type RunRecord, runRecordSchema } from "@crowdai/shared";
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
  /** Its verdict: a score, or an error; neither before it has one. */
  score: number | null;
  /** The hidden score, only where the reader asked for it. */
  score_final?: number | null;
  error: { code: ErrorCode; message: string } | null;
  /** How submitted code was run; null when none was. */
  run: RunRecord | null;
}

/**
 * Returns every attempt at a submission, with the organizer's log of each, and with the final scores on
 * request.
 */
export async function readAttempts(
  db: Db,
  { id }: Pick<SubmissionRow, "id">,
  { withFinal = false } = {},
): Promise<LoggedAttempt[]> {
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
      "outcome",
      "run",
    ])
    .where("submission", "=", id)
    .orderBy("number")
    .execute();
  return rows.map(({ outcome: text, run, ...row }) => {
    const outcome = text === null ? null : (JSON.parse(text) as Outcome);
    return {
      ...row,
      accepted: row.accepted === 1,
      ...verdictOf(outcome),
      ...(withFinal ? { score_final: outcome?.ok ? (outcome.score_final ?? null) : null } : {}),
      run: run === null ? null : runRecordSchema.parse(JSON.parse(run)),
    };
  });
}

function verdictOf(outcome: Outcome | null): Pick<LoggedAttempt, "score" | "error"> {
  if (outcome === null) return { score: null, error: null };
  if (outcome.ok) return { score: outcome.score, error: null };
  return { score: null, error: { code: outcome.code, message: outcome.message } };
}
