import { CrowdaiError, type IntentRequest, isFinal, type Submission } from "@crowdai/shared";
import type { ByteSource } from "../client/byte-source.ts";
import type { Agents } from "../client/network.ts";
import type { BrokerSession } from "../client/session.ts";
import { sendParts } from "../client/upload.ts";

const ROUNDS = 4;

export interface HandIn {
  intent: IntentRequest;
  source: ByteSource | null;
  broker: URL;
  agents?: Agents;
  signal?: AbortSignal;
  /** Keeps the events for a feed that will be asked for. */
  follow: boolean;
  onUpload?: (done: number, total: number) => void;
  /** Called once the broker knows of the intent and holds a slot for it. */
  onRegistered?: (submission: Submission) => void;
}

/**
 * Announces the submission, sends its bytes and has it accepted; what is returned cannot be lost any more. Safe to repeat with
 * the same id: it goes on where it broke.
 */
export async function handIn(session: BrokerSession, work: HandIn): Promise<Submission> {
  const { intent, source, signal } = work;
  let receipt = await session.submit(intent, { follow: work.follow, signal });
  work.onRegistered?.(receipt.submission);
  for (let round = 0; receipt.upload && source && !isFinal(receipt.submission.state); round++) {
    if (round === ROUNDS) throw new CrowdaiError("upload_missing");
    try {
      await sendParts(receipt.upload, source, { ...work, onProgress: work.onUpload });
      receipt = await session.complete(intent.id, signal);
    } catch (failure) {
      if (hasEnded(failure) && round < ROUNDS - 1) receipt = await session.submit(intent, { signal });
      else throw await withdraw(session, work, failure);
    }
  }
  return receipt.submission;
}

/** Signed addresses end after minutes; new ones come with the receipt of the same intent. */
function hasEnded(failure: unknown): boolean {
  return (
    failure instanceof CrowdaiError &&
    ["signature_invalid", "object_missing", "upload_missing"].includes(failure.code)
  );
}

/** Other bytes under this digest will never come, so the slot is given back at once instead of after a deadline. */
async function withdraw(
  session: BrokerSession,
  { intent, source, signal }: HandIn,
  failure: unknown,
): Promise<unknown> {
  if (!(failure instanceof CrowdaiError)) return failure;
  let reason = failure;
  if (failure.code === "digest_mismatch")
    reason = await source!.verify().then(
      () => failure,
      (changed) => changed,
    );
  if (reason.code === "file_changed")
    await session
      .cancel(intent.id, AbortSignal.any([AbortSignal.timeout(3_000), ...(signal ? [signal] : [])]))
      .catch(() => {});
  return reason;
}
