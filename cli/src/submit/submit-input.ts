import { CrowdaiError, createSubmissionId, isFinal, SUBMISSION_ID, type Submission } from "@crowdai/shared";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import type { CodeToSend } from "../snapshot/send/send-code.ts";
import { type FollowOptions, follow, waitingOf } from "./follow.ts";
import { afterAcceptance, beforeAcceptance, type Grade, requireGrade, requireGraded } from "./grade.ts";
import { type ModelToSend, modelsOfIntent } from "./models.ts";
import { type SubmissionToSend, sendSubmission } from "./send-submission.ts";
import type { SubmissionInput } from "./submission-input.ts";

export interface SubmitInputOptions extends FollowOptions {
  round?: string | number;
  message?: string;
  wait?: boolean;
  id?: string;
  signal?: AbortSignal;
  broker: URL;
  agents?: Agents;
  /** Code that is included. */
  code?: CodeToSend;
  /** Whether the code may be published when the challenge closes. */
  publish?: boolean;
  /** Leaves a submission open whose bytes or code are refused: the same id will be sent again. */
  keepsRefused?: boolean;
  onRegistered?: (submission: Submission) => void;
  /** Called with each plan of the parts that are still to be sent. */
  onPlan?: SubmissionToSend["onPlan"];
  onAccepted?: (submission: Submission) => void;
  /** When it was sealed without a network. */
  sealedAt?: string;
  /** Models stored with the submission. */
  models?: readonly ModelToSend[];
}

/** Submits a prepared input, and waits for the grade unless `wait` is false. */
export async function submitInput(
  session: BrokerSession,
  offer: SubmissionInput,
  options: SubmitInputOptions,
): Promise<Submission> {
  const { round, message, signal, onProgress, id = createSubmissionId(), wait = true, models = [] } = options;
  if (!SUBMISSION_ID.test(id))
    throw new CrowdaiError("usage", `"${id}" is not a valid submission id.`, {
      next: "Use 8 to 64 letters, digits, - or _, starting with a letter or digit.",
    });
  const sending = sendSubmission(session, {
    ...options,
    intent: {
      id,
      challenge: session.opening.challenge!.id,
      round: round === undefined ? null : String(round),
      message: message ?? null,
      input: offer.input,
      code: (await options.code?.announce(id)) ?? null,
      publish: options.publish ?? false,
      ...(options.sealedAt === undefined ? {} : { sealed_at: options.sealedAt }),
      ...(models.length > 0 ? { models: modelsOfIntent(models) } : {}),
    },
    source: offer.source,
    models: models.map(({ source }) => source),
    follow: wait,
    onUpload: (done, total) => onProgress?.({ stage: "uploading", done, total }),
  });
  const accepted = await sending.catch((failure) => {
    if (wait) session.watch(id).stop();
    throw beforeAcceptance(failure, id);
  });
  options.onAccepted?.(accepted);
  const isRequired = offer.input.kind === "code" || session.opening.challenge!.code.capture === "required";
  const codeSent = requireCode(session, id, isRequired ? options.code : undefined, options);
  // Its reason is read where the submission ends.
  codeSent.catch(() => {});
  // A submission sent again with the same id may have ended already.
  if (!wait) {
    await codeSent;
    return isFinal(accepted.state) ? requireGraded(accepted) : accepted;
  }
  if (accepted.state === "submitted") onProgress?.(waitingOf(accepted));
  if (isFinal(accepted.state) && !options.onEvent) {
    session.watch(id).stop();
    return requireGrade(accepted);
  }
  return waitForGrade(session, id, { ...options, signal }).catch(async (failure) => {
    // Cancelled here, because its code was refused.
    if (failure instanceof CrowdaiError && failure.code === "cancelled") await codeSent;
    throw failure;
  });
}

/**
 * Cancels a submission that needs its code when the code is refused for good: it would wait for the code
 * until a deadline. Rejects with the reason then; resolves otherwise.
 */
async function requireCode(
  session: BrokerSession,
  id: string,
  code: CodeToSend | undefined,
  { keepsRefused }: Pick<SubmitInputOptions, "keepsRefused">,
): Promise<void> {
  if (!code) return;
  const outcome = await code.settle();
  if (outcome?.state !== "refused") return;
  const refused = `The code that the challenge requires was refused: ${outcome.reason}.`;
  const isOpen = keepsRefused && outcome.by === "proxy";
  if (!isOpen) await session.cancel(id).catch(() => {});
  const message = isOpen ? refused : `${refused} The submission was cancelled and uses no slot.`;
  throw new CrowdaiError(outcome.by === "proxy" ? "proxy_refused" : "code_unfit", message, {
    details: { submission: id },
  });
}

/** Follows a submission until it is graded. Throws the error of a submission that fails. */
export async function waitForGrade(
  session: BrokerSession,
  id: string,
  options: FollowOptions & { signal?: AbortSignal } = {},
): Promise<Grade> {
  try {
    return requireGrade(await follow(session.watch(id, { signal: options.signal }), options));
  } catch (failure) {
    throw afterAcceptance(failure, id);
  }
}
