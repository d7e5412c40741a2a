import { type Outcome, type RunRecord, type RunStage, runRecordSchema } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/** The stages whose logs participants see, for each value of `run.logs`. The evaluator's are the organizer's alone. */
const VISIBLE_LOGS = {
  none: ["build"],
  sample: ["build", "sample"],
  all: ["build", "sample", "run"],
} as const;

/** Returns the columns that an outcome writes to its attempt: the record of a run is stored apart. */
export function outcomeColumns(
  config: Pick<ChallengeConfig, "run"> | undefined,
  { run, ...outcome }: Outcome,
): { outcome: string; run: string | null } {
  return {
    outcome: JSON.stringify(outcome),
    run: run ? JSON.stringify(withoutPrivateLogs(config?.run ?? null, run)) : null,
  };
}

/**
 * Drops what a participant must not see. Graders send only visible logs, but what a program printed about the private input
 * must not depend on every grader being up to date.
 */
function withoutPrivateLogs(config: ChallengeConfig["run"], run: RunRecord): RunRecord {
  const visible: readonly RunStage[] = VISIBLE_LOGS[config?.logs ?? "none"];
  return {
    ...run,
    stages: run.stages.map((one) =>
      visible.includes(one.stage) ? one : { ...one, stdout: null, stderr: null },
    ),
  };
}

/** Returns how the code of a submission was run in the attempt that counts; null when it was not, or not yet. */
export async function readRun(
  db: Db,
  { id, attempt }: Pick<SubmissionRow, "id" | "attempt">,
): Promise<RunRecord | null> {
  const row = await runOf(db, { id, attempt });
  return row?.run ? runRecordSchema.parse(JSON.parse(row.run)) : null;
}

const runOf = lookup((db, { id, attempt }: Pick<SubmissionRow, "id" | "attempt">) =>
  db.selectFrom("attempts").select("run").where("submission", "=", id).where("number", "=", attempt),
);
