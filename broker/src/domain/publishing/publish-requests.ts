import { CrowdaiError, type Intent, type Submission } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { requireAgreement } from "../agreements/agreements.ts";
import type { Caller } from "../participants/api-keys.ts";
import type { SubmissionContext } from "../submissions/context.ts";
import { findSubmission, lockSubmission } from "../submissions/find-submission.ts";
import { viewSubmission } from "../submissions/view-submission.ts";
import { closingLock, findClosure, publishDue } from "./publish-due.ts";

/** Throws nothing_to_publish for an intent without code or a model. */
export function requirePublishable({ code, models, function: called, dry_run }: Intent): void {
  if (called !== "submit" || dry_run)
    throw new CrowdaiError("nothing_to_publish", "Only a submission to the leaderboard can be published.");
  if (code === null && models.length === 0) throw new CrowdaiError("nothing_to_publish");
}

/**
 * Says that the participant's submission is to be published, or is not. It becomes public when its challenge closes, or at once
 * where that has closed; from then on nothing is taken back (challenge_closed). What is as wanted already stays as it is. Throws
 * agreement_missing and nothing_to_publish.
 */
export async function setPublish(
  context: SubmissionContext,
  caller: Caller,
  id: string,
  publish: boolean,
): Promise<Submission> {
  const { records, clock } = context;
  const { challenge } = await findSubmission(records.db, caller, id);
  if (publish) await requireAgreement(records.db, context, caller.id);
  const closed = await records.transaction(async (trx) => {
    await records.lockShared(trx, closingLock(challenge));
    const row = await lockSubmission(records, trx, id);
    const closure = await findClosure(trx, challenge);
    if ((row.publish === 1) !== publish) {
      if (publish) await requireContent(trx, row);
      else if (closure)
        throw new CrowdaiError(
          "challenge_closed",
          `${challenge} closed on ${closure.closed_at}: what was to be published is public now, and stays so.`,
        );
      await addPublishRequest(trx, id, publish, clock());
    }
    return closure !== null;
  });
  if (closed && publish) await publishDue(records, challenge, clock());
  return viewSubmission(context, records.db, await findSubmission(records.db, caller, id));
}

/** Writes down what a participant wants of a submission, and returns the submission, which holds the latest wish. */
export async function addPublishRequest(
  trx: Db,
  submission: string,
  publish: boolean,
  now: Date,
): Promise<SubmissionRow> {
  const value = publish ? 1 : 0;
  await trx
    .insertInto("publish_wishes")
    .values({ submission, publish: value, at: iso(now) })
    .execute();
  return trx
    .updateTable("submissions")
    .set({ publish: value })
    .where("id", "=", submission)
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function requireContent(trx: Db, row: SubmissionRow): Promise<void> {
  if (row.model_count > 0) return;
  const code = await trx
    .selectFrom("submission_code")
    .select("state")
    .where("submission", "=", row.id)
    .executeTakeFirst();
  if (!code || code.state === "missing") throw new CrowdaiError("nothing_to_publish");
}
