import { CrowdaiError } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { Caller } from "../participants/api-keys.ts";
import { type AcceptNeeds, acceptUpload } from "./accept-upload.ts";
import { type CancelNeeds, cancelSubmission } from "./cancel-submission.ts";
import { findSubmission } from "./find-submission.ts";

/** The services that storing an input uses. */
export type StoreInputNeeds = AcceptNeeds & CancelNeeds;

export type Bytes = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Stores the submission's input and accepts the submission. If that fails the submission is cancelled,
 * because no one would retry.
 */
export async function storeInput(
  { context, caller }: { context: StoreInputNeeds; caller: Caller },
  id: string,
  bytes: () => Promise<Bytes>,
): Promise<void> {
  try {
    const { input_key, input_size, input_sha256 } = await findSubmission(context.records.db, caller, id);
    if (input_key === null) throw new CrowdaiError("unexpected", `${id} has no object for its bytes.`);
    const expected = { size: input_size, sha256: input_sha256 };
    const body = await bytes();
    await markedStep("upload.sent-input", () => context.objects.put(input_key, body, { expected }));
    await acceptUpload(context, caller, id);
  } catch (error) {
    await cancelSubmission(context, caller, id).catch((also) =>
      context.log.warn(
        { event: "submission_cancel_failed", err: also, submission: id },
        "cancelling the submission failed",
      ),
    );
    throw error;
  }
}
