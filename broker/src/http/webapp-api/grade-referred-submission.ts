import type { Needs } from "../../domain/submissions/services.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Manager } from "./callers.ts";
import type { CreateAnswer } from "./create-submission.ts";
import { currentRound } from "./current-round.ts";
import type { Parameters } from "./parameters.ts";
import { readSlotsLeft, UNKNOWN } from "./slots-left.ts";
import { texts } from "./texts.ts";
import { updateSubmission } from "./update-submission.ts";

/**
 * Answers a job factory that would create a submission for the grade of its job: the submission exists, and
 * is graded when the call has a verdict. Without one it stays with our grader, whose time limits apply.
 */
export async function gradeReferredSubmission(
  context: Needs<"records" | "catalog" | "clock" | "objects" | "announce" | "queue" | "log">,
  manager: Manager,
  row: SubmissionRow,
  parameters: Parameters,
): Promise<CreateAnswer> {
  if (parameters.text("challenge_client_name") !== row.challenge)
    return { status: 400, body: { message: texts.challengeUnmatched, submission_id: null, ...UNKNOWN } };
  const status = parameters.raw("grading_status");
  if (status === "graded" || status === "failed") {
    const { status: answered, body } = await updateSubmission(
      context,
      manager,
      String(row.number),
      parameters,
    );
    return { status: answered, body: { ...body, submission_id: answered === 202 ? row.number : null } };
  }
  const config = context.catalog.all().get(row.challenge)?.config;
  const now = context.clock();
  const slots = config
    ? await readSlotsLeft(context.records.db, config, currentRound(config, now), row.participant_id, now)
    : UNKNOWN;
  return { status: 202, body: { message: texts.updated(row.number), submission_id: row.number, ...slots } };
}
