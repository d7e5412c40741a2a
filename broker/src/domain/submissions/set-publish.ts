import { CrowdaiError, type Submission } from "@crowdai/shared";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { requireAgreement } from "../agreements/agreements.ts";
import { findClosure } from "../challenges/find-closure.ts";
import type { Caller } from "../participants/api-keys.ts";
import { closingLock, publishDue } from "../publishing/publish-due.ts";
import { addPublishRequest } from "../publishing/publish-requests.ts";
import { findSubmission, lockSubmission } from "./find-submission.ts";
import type { Needs } from "./services.ts";
import { type ViewNeeds, viewSubmission } from "./view-submission.ts";

/** The services that choosing to publish uses. */
export type PublishChoiceNeeds = ViewNeeds & Needs<"records">;

/**
 * Chooses whether the participant's submission is published. It becomes public when its challenge closes, or
 * at once when the challenge is closed; then the choice cannot be withdrawn (challenge_closed). Repeating a
 * choice changes nothing. Throws agreement_missing and nothing_to_publish.
 */
export async function setPublish(
  context: PublishChoiceNeeds,
  caller: Caller,
  id: string,
  publish: boolean,
): Promise<Submission> {
  const { records, clock } = context;
  const { challenge, member } = await findSubmission(records.db, caller, id);
  if (publish) await requireAgreement(records.db, context, caller, member);
  const closed = await commit(records, "set-publish", async (trx) => {
    await records.lockShared(trx, closingLock(challenge));
    const row = await lockSubmission(records, trx, id);
    const closure = await findClosure(trx, challenge);
    if ((row.publish === 1) !== publish) {
      if (publish) await requireContent(trx, row);
      else if (closure)
        throw new CrowdaiError(
          "challenge_closed",
          `${challenge} closed on ${closure.closed_at}: published code is public now and cannot be withdrawn.`,
        );
      await addPublishRequest(trx, id, publish, clock());
    }
    return closure !== null;
  });
  if (closed && publish) await publishDue(records, challenge, clock());
  return viewSubmission(context, records.db, await findSubmission(records.db, caller, id));
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
