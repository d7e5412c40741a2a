import type { ErrorCode } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { removeUnaccepted } from "./announced-parts.ts";
import { lockSubmission } from "./find-submission.ts";
import { restart } from "./recover-queue.ts";
import type { Needs } from "./services.ts";
import { HOLDS, readCode } from "./submission-code.ts";
import { codeMissing } from "./sweep-awaited-code.ts";
import { writeFailure } from "./write-outcome.ts";

type SweepNeeds = Needs<"records" | "objects" | "queue" | "clock" | "log" | "announce">;

/**
 * Handles every submission whose state has passed its deadline: an incomplete upload and a wait without a
 * grader fail, and their slots are returned; a grading without reports is restarted. Returns the number of
 * submissions handled.
 */
export async function sweepDeadlines(context: SweepNeeds & Needs<"dispatchSoon">): Promise<number> {
  const due = await context.records.db
    .selectFrom("submissions")
    .select(["id", "state"])
    .where("deadline_at", "<", iso(context.clock()))
    .orderBy("deadline_at")
    .limit(500)
    .execute();
  for (const { id, state } of due) {
    if (state === "grading")
      await restart(context, id, "the grader stopped responding", { onlyOverdue: true });
    else await endOverdue(context, id);
  }
  if (due.length > 0) context.dispatchSoon();
  return due.length;
}

async function endOverdue(context: SweepNeeds, id: string): Promise<void> {
  const ended = await commit(context.records, "sweep-deadlines", async (trx) => {
    const row = await lockSubmission(context.records, trx, id);
    const now = context.clock();
    if (row.deadline_at === null || row.deadline_at >= iso(now) || row.state === "grading") return null;
    return { row, events: await writeFailure(trx, row, await failureOf(trx, row), now) };
  });
  if (!ended) return;
  context.announce(ended.row.challenge, ended.events);
  if (ended.row.state === "submitted") await context.queue.cancel(id).catch(() => {});
  if (ended.row.state === "initiated") await removeUnaccepted(context, ended.row);
}

/** Names who was waited for: the participant's bytes or code, or a grader. */
async function failureOf(
  trx: Db,
  { id, state, challenge, deadline_at }: SubmissionRow,
): Promise<{ code: ErrorCode; message: string }> {
  if (state === "initiated")
    return { code: "upload_abandoned", message: `The upload was not completed by ${deadline_at}.` };
  const code = await readCode(trx, id);
  if (code && code.holds !== HOLDS.no) return codeMissing(challenge, deadline_at);
  return { code: "deadline_passed", message: `No grader picked up the submission by ${deadline_at}.` };
}
