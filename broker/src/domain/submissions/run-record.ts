import {
  type EnvironmentRecord,
  environmentRecordSchema,
  type Outcome,
  type RunRecord,
  type RunStage,
  runRecordSchema,
} from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/**
 * The stages whose logs participants see, for each value of `run.logs`. The evaluator's are the organizer's
 * alone.
 */
const VISIBLE_LOGS = {
  none: ["build"],
  sample: ["build", "sample"],
  all: ["build", "sample", "run", "play"],
} as const;

/**
 * Returns the columns that an outcome writes to its attempt: the records of a run and of an environment are
 * stored apart.
 */
export function outcomeColumns(
  config: Pick<ChallengeConfig, "run" | "environment"> | undefined,
  { run, environment, ...outcome }: Outcome,
): { outcome: string; run: string | null; environment: string | null } {
  return {
    outcome: JSON.stringify(outcome),
    run: run ? JSON.stringify(withoutPrivateLogs(config, run)) : null,
    environment: environment ? JSON.stringify(environment) : null,
  };
}

/**
 * Drops what a participant must not see. Graders send only visible logs, but what a program printed about the
 * private input must not depend on every grader being up to date.
 */
function withoutPrivateLogs(
  config: Pick<ChallengeConfig, "run" | "environment"> | undefined,
  run: RunRecord,
): RunRecord {
  const { logs = "none" } = config?.run ?? config?.environment?.code ?? {};
  const visible: readonly RunStage[] = VISIBLE_LOGS[logs];
  return {
    ...run,
    stages: run.stages.map((one) =>
      visible.includes(one.stage) ? one : { ...one, stdout: null, stderr: null },
    ),
  };
}

/** Returns how the code of a submission was run, and how an agent played, in the attempt that counts. */
export async function readRecords(
  db: Db,
  { id, attempt }: Pick<SubmissionRow, "id" | "attempt">,
): Promise<{ run: RunRecord | null; environment: EnvironmentRecord | null }> {
  const row = await recordsOf(db, { id, attempt });
  return {
    run: row?.run ? runRecordSchema.parse(JSON.parse(row.run)) : null,
    environment: row?.environment ? environmentRecordSchema.parse(JSON.parse(row.environment)) : null,
  };
}

const recordsOf = lookup((db, { id, attempt }: Pick<SubmissionRow, "id" | "attempt">) =>
  db
    .selectFrom("attempts")
    .select(["run", "environment"])
    .where("submission", "=", id)
    .where("number", "=", attempt),
);
