import { CrowdaiError, catalogue as errors, type Submission } from "@crowdai/shared";
import { sql } from "kysely";
import type { Db } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";
import type { SubmissionContext } from "./context.ts";

/** The submission as its participant sees it. `db` may be a transaction. */
export async function viewSubmission(
  context: SubmissionContext,
  db: Db,
  row: SubmissionRow,
): Promise<Submission> {
  const { name } = await db
    .selectFrom("participants")
    .select("name")
    .where("id", "=", row.participant_id)
    .executeTakeFirstOrThrow();
  const slot =
    row.function === "submit"
      ? await db.selectFrom("slots").select("state").where("submission", "=", row.id).executeTakeFirst()
      : undefined;
  const waiting = row.state === "submitted" ? await whyWaiting(context, db, row) : null;
  return {
    id: row.id,
    number: row.number,
    challenge: row.challenge,
    participant: name,
    round: row.round,
    function: row.function,
    state: row.state,
    message: row.message,
    input: { kind: row.input_kind, name: row.input_name, size: row.input_size, sha256: row.input_sha256 },
    post_challenge: row.post_challenge === 1,
    created_at: row.created_at,
    accepted_at: row.accepted_at,
    finished_at: row.finished_at,
    score: row.score,
    score_secondary: row.score_secondary,
    grading_message: row.grading_message,
    data: row.data === null ? null : JSON.parse(row.data),
    error: row.error_code
      ? new CrowdaiError(row.error_code, row.error_message ?? errors[row.error_code]?.title).toBody()
      : null,
    rank: row.rank,
    rank_before: row.rank_before,
    best: row.best === null ? null : row.best === 1,
    place: waiting?.place ?? null,
    waiting: waiting?.reason ?? null,
    slot: slot?.state ?? "none",
    attempt: row.attempt,
    evaluator_version: row.evaluator_version,
    artifacts: [],
    seq: row.seq,
    url: `${context.baseUrl()}/submissions/${row.id}`,
  };
}

/** Place in line (1 is next), and the reason when nothing can grade the submission right now. */
export async function whyWaiting(
  context: SubmissionContext,
  db: Db,
  row: Pick<SubmissionRow, "number" | "challenge">,
): Promise<{ place: number; reason: string | null }> {
  const { ahead } = await db
    .selectFrom("submissions")
    .select(sql<number>`count(*)`.as("ahead"))
    .where("challenge", "=", row.challenge)
    .where("state", "=", "submitted")
    .where("number", "<", row.number)
    .executeTakeFirstOrThrow();
  const place = Number(ahead) + 1;
  const attached = await context.queue.attached();
  if (!attached.some((grader) => grader.challenges.includes(row.challenge)))
    return { place, reason: `no grader serves ${row.challenge} right now` };
  return { place, reason: context.dispatchStalled() ? "waiting for dispatch" : null };
}
