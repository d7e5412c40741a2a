import { CrowdaiError, type Submission } from "@crowdai/shared";
import { readSubmission } from "../client/http/broker-queries.ts";
import type { HttpClient } from "../client/http/http-client.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { submissionsOfEarlierContent, type Unfinished, unfinishedId } from "./journal.ts";
import { missingIn } from "./send-submission.ts";
import type { SubmissionInput } from "./submission-input.ts";
import { type SubmitInputOptions, submitInput } from "./submit-input.ts";

export interface Resumable extends Omit<SubmitInputOptions, "id"> {
  journal: { folder: string; http: HttpClient };
  /** An earlier run left off with this id, and it goes on. */
  onResumed?: (id: string) => void;
  /** So many parts of what goes on had arrived before. */
  onFound?: (parts: number, of: number) => void;
  /** The submission of other bytes of the same file that was left off, and now is cancelled. */
  onReplaced?: (id: string) => void;
}

/**
 * Submits, noting the id in a folder until the submission is accepted: a program that broke and makes the same submission again
 * goes on with it, in place of taking a second slot and sending everything anew.
 */
export async function submitResumable(
  session: BrokerSession,
  offer: SubmissionInput,
  options: Resumable,
): Promise<Submission> {
  const { journal, round, message, onAccepted, models = [] } = options;
  const { path } = offer;
  // Other models beside the same file are another submission.
  const sha256 = [offer.sha256, ...models.map(({ name, source }) => `${source.sha256} ${name}`)].join("\n");
  const challenge = session.opening.challenge!.id;
  const broker = options.broker.href;
  const what = [broker, challenge, round === undefined ? null : String(round), message ?? null, sha256];
  const file = path === null ? null : { of: [broker, challenge, path], sha256 };
  await cancelEarlierContent(session, file, options);
  for (;;) {
    const left = unfinishedId(journal.folder, what, file);
    if (left.resumed) options.onResumed?.(left.id);
    try {
      return await submitInput(session, offer, {
        ...options,
        id: left.id,
        onPlan: found(left, options),
        onAccepted(accepted) {
          left.forget();
          onAccepted?.(accepted);
        },
      });
    } catch (failure) {
      const error = failure instanceof CrowdaiError ? failure : undefined;
      if (error?.details?.accepted !== false) left.forget();
      if (left.resumed && error && ENDED.has(error.code)) continue;
      throw failure;
    }
  }
}

/** How a submission that was left unfinished may have ended since; a new one is then made. */
const ENDED = new Set(["upload_abandoned", "cancelled", "id_conflict", "already_final"]);

/** Tells of the first plan of a submission that goes on how many parts it leaves out. */
function found({ resumed }: Unfinished, { onFound, onPlan }: Resumable): SubmitInputOptions["onPlan"] {
  let told = !resumed;
  return (upload, source) => {
    onPlan?.(upload, source);
    const of = source.parts.md5.length;
    const there = of - missingIn(upload).parts;
    if (!told && there > 0) onFound?.(there, of);
    told = true;
  };
}

/** The slot of bytes that will never come is given back. A failure costs no more than that slot until its deadline. */
async function cancelEarlierContent(
  session: BrokerSession,
  file: { of: string[]; sha256: string } | null,
  { journal, signal, onReplaced }: Resumable,
): Promise<void> {
  if (!file) return;
  for (const { id, forget } of submissionsOfEarlierContent(journal.folder, file)) {
    try {
      // Only one whose bytes never arrived: what was accepted is somebody's submission.
      if ((await readSubmission(journal.http, id, signal)).state === "initiated") {
        await session.cancel(id, signal);
        onReplaced?.(id);
      }
      forget();
    } catch (failure) {
      if (failure instanceof CrowdaiError && failure.fault === "you") forget();
    }
  }
}
