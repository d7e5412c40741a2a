import {
  CrowdaiError,
  type IntentRequest,
  isFinal,
  type Receipt,
  type Submission,
  type Upload,
} from "@crowdai/shared";
import { locate } from "../client/http/broker-address.ts";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import type { ByteSource } from "../client/upload/byte-source.ts";
import { sendParts } from "../client/upload/upload.ts";
import type { CodeToSend } from "../snapshot/send/send-code.ts";

/** How many plans in a row may bring no progress. */
const MAX_STALLS = 4;

export interface SubmissionToSend {
  intent: IntentRequest;
  source: ByteSource | null;
  /** The bytes of the models that the intent announces, in its order. */
  models?: readonly ByteSource[];
  broker: URL;
  agents?: Agents;
  signal?: AbortSignal;
  /** The code that the intent announces, if any. */
  code?: CodeToSend;
  /** Whether the events are buffered for a later feed. */
  follow: boolean;
  onUpload?: (done: number, total: number) => void;
  /**
   * Leaves the submission open when something refuses its bytes, because the same id will be sent again.
   * Default: cancels it.
   */
  keepsRefused?: boolean;
  /** Called with each plan of the parts that are still to be sent. */
  onPlan?: (upload: Upload, source: ByteSource) => void;
  /** Called once the broker has registered the intent and reserved a slot. */
  onRegistered?: (submission: Submission) => void;
}

/**
 * Announces a submission, sends its bytes and has it accepted; an accepted submission cannot be lost. Safe to
 * repeat with the same id: it continues where it broke.
 */
export async function sendSubmission(session: BrokerSession, work: SubmissionToSend): Promise<Submission> {
  const { intent, signal } = work;
  let receipt = await session.submit(intent, { follow: work.follow, signal });
  work.onRegistered?.(receipt.submission);
  // In parallel with the bytes; the submission continues even if this fails.
  if (receipt.code) work.code?.begin(intent.id, receipt.code);
  const total = [work.source, ...(work.models ?? [])].reduce((sum, source) => sum + (source?.size ?? 0), 0);
  let least = Number.POSITIVE_INFINITY;
  for (let stalls = 0; isAwaited(receipt, work); ) {
    const sending = sendingOf(receipt, work);
    const left = sending.reduce((sum, { upload }) => sum + missingIn(upload).bytes, 0);
    // Zero bytes left means that they only await verification, which session.complete() starts.
    stalls = left < least ? 0 : stalls + 1;
    least = Math.min(least, left);
    if (stalls === MAX_STALLS) throw await withdraw(session, work, lostOnTheWay(sending, work));
    let isAll = false;
    for (const { upload, source } of sending) work.onPlan?.(upload, source);
    try {
      isAll = await sendAll(sending, work, total);
      receipt = await (isAll ? session.complete(intent.id, signal) : session.submit(intent, { signal }));
    } catch (failure) {
      const isLast = stalls === MAX_STALLS - 1;
      if (isLast && isAll && isMissing(failure))
        throw await withdraw(session, work, lostOnTheWay(sending, work, failure));
      if (!hasExpired(failure) || isLast) throw await withdraw(session, work, failure);
      receipt = await session.submit(intent, { signal });
    }
  }
  return receipt.submission;
}

interface Sending {
  upload: Upload;
  source: ByteSource;
}

function isAwaited({ submission, upload, models }: Receipt, work: SubmissionToSend): boolean {
  if (isFinal(submission.state)) return false;
  const isInput = upload !== null && work.source !== null;
  return isInput || (submission.state === "initiated" && models.length > 0);
}

/** Returns what is still to be sent of the input and of each model. */
function sendingOf(
  { upload, models }: Receipt,
  { source, models: sources = [] }: SubmissionToSend,
): Sending[] {
  const all = [
    { upload, source },
    ...models.map((model, i) => ({ upload: model.upload, source: sources[i] })),
  ];
  return all.flatMap(({ upload: plan, source: bytes }) =>
    plan && bytes ? [{ upload: plan, source: bytes }] : [],
  );
}

/** Sends one after the other, the parts of each in parallel. Returns whether nothing is left. */
async function sendAll(sending: readonly Sending[], work: SubmissionToSend, total: number): Promise<boolean> {
  let before = total - sending.reduce((sum, { source }) => sum + source.size, 0);
  let isAll = true;
  for (const { upload, source } of sending) {
    const onProgress = (done: number) => work.onUpload?.(before + done, total);
    isAll = (await sendParts(upload, source, { ...work, onProgress })) && isAll;
    before += source.size;
  }
  return isAll;
}

/** Returns how much has not arrived, whether the plan lists it or not. */
export function missingIn({ missing, parts }: Upload): { parts: number; bytes: number } {
  return missing ?? { parts: parts.length, bytes: parts.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Whether signed URLs have expired, which they do after minutes; the receipt of the same intent brings new
 * ones.
 */
function hasExpired(failure: unknown): boolean {
  return (
    failure instanceof CrowdaiError &&
    ["signature_invalid", "object_missing", "object_exists", "upload_missing"].includes(failure.code)
  );
}

const isMissing = (failure: unknown): failure is CrowdaiError =>
  failure instanceof CrowdaiError && failure.code === "upload_missing";

/** The error for bytes that were confirmed again and again, and of which the broker finds nothing. */
function lostOnTheWay(
  sending: readonly Sending[],
  { broker }: SubmissionToSend,
  cause?: CrowdaiError,
): CrowdaiError {
  const part = sending.flatMap(({ upload }) => upload.parts)[0];
  const host = part ? locate(broker, part.url).host : broker.host;
  const message = `A proxy answered in place of the object store at ${host}: it confirmed the upload, but the bytes did not arrive.`;
  return new CrowdaiError("proxy_refused", message, { details: { store: host, proxy: null }, cause });
}

/**
 * Cancels a submission whose bytes cannot arrive, because the file has changed or something on the way
 * refuses them, so that its slot is free at once instead of after a deadline.
 */
async function withdraw(
  session: BrokerSession,
  { intent, source, models = [], keepsRefused, signal }: SubmissionToSend,
  failure: unknown,
): Promise<unknown> {
  if (!(failure instanceof CrowdaiError)) return failure;
  let reason = failure;
  if (failure.code === "digest_mismatch")
    for (const bytes of [source, ...models])
      await bytes?.verify().catch((changed) => {
        reason = changed;
      });
  const isHopeless = reason.code === "file_changed" || (!reason.retryable && reason.code !== "unexpected");
  if (!isHopeless || keepsRefused) return reason;
  const within = AbortSignal.any([AbortSignal.timeout(3_000), ...(signal ? [signal] : [])]);
  const isCancelled = await session.cancel(intent.id, within).then(
    () => true,
    () => false,
  );
  if (!isCancelled || reason.code === "file_changed") return reason;
  const { code, message, next, details, cause } = reason;
  return new CrowdaiError(code, `${message} The submission was cancelled and uses no slot.`, {
    next,
    details,
    cause,
  });
}
