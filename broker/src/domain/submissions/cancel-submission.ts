import { CrowdaiError, isFinal, type Submission, type SubmissionEvent } from "@crowdai/shared";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { hasPlayed } from "../environments/has-played.ts";
import type { Caller } from "../participants/api-keys.ts";
import { removeUnaccepted } from "./announced-parts.ts";
import { findSubmission, lockSubmission } from "./find-submission.ts";
import type { Needs } from "./services.ts";
import { type ViewNeeds, viewSubmission } from "./view-submission.ts";
import { writeFailure } from "./write-outcome.ts";

/** The services that cancelling a submission uses. */
export type CancelNeeds = ViewNeeds & Needs<"records" | "catalog" | "objects" | "queue" | "log" | "announce">;

/**
 * Cancels a submission that has not ended. The slot is returned unless grading had started or, in an
 * environment, unless a reset had been answered. Repeating it is harmless; a graded or failed submission
 * throws already_final.
 */
export async function cancelSubmission(
  context: CancelNeeds,
  caller: Caller,
  id: string,
): Promise<Submission> {
  const { challenge } = await findSubmission(context.records.db, caller, id);
  const events = await commit(
    context.records,
    "cancel-submission",
    async (trx): Promise<SubmissionEvent[]> => {
      const row = await lockSubmission(context.records, trx, id);
      if (row.state === "cancelled") return [];
      if (isFinal(row.state)) throw new CrowdaiError("already_final", `${id} is already ${row.state}.`);
      await trx
        .updateTable("attempts")
        .set({ state: "lost" })
        .where("submission", "=", id)
        .where("number", "=", row.attempt)
        .execute();
      const message = "Cancelled by the participant.";
      const charge = await chargesCancelled(context, trx, row);
      return writeFailure(trx, row, { code: "cancelled", message, charge }, context.clock());
    },
  );
  if (events.length > 0) {
    // The records are authoritative: an unreachable queue cannot change the outcome, and a late result is
    // rejected.
    await context.queue
      .cancel(id)
      .catch((error) =>
        context.log.warn(
          { event: "queue_cancel_failed", submission: id, err: error },
          "cancelling the job in the queue failed",
        ),
      );
    context.announce(challenge, events);
  }
  const row = await findSubmission(context.records.db, caller, id);
  if (events.length > 0 && row.accepted_at === null) await removeUnaccepted(context, row);
  return viewSubmission(context, context.records.db, row);
}

/** Whether the participant has seen anything of an environment; undefined for any other submission. */
async function chargesCancelled(
  { catalog }: Needs<"catalog">,
  trx: Db,
  row: SubmissionRow,
): Promise<boolean | undefined> {
  const isAgent =
    row.input_kind === "session" || Boolean(catalog.all().get(row.challenge)?.config.environment);
  return isAgent && row.outside_status === null ? hasPlayed(trx, row.id) : undefined;
}
