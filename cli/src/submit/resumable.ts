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
  /** Called with the id of an unfinished submission that is continued. */
  onResumed?: (id: string) => void;
  /** Called with the number of parts that arrived in an earlier run. */
  onFound?: (parts: number, of: number) => void;
  /**
   * Called with the id of an unfinished submission of an earlier content of the file, which is now cancelled.
   */
  onReplaced?: (id: string) => void;
}

/**
 * Submits, and keeps the id in a journal until the submission is accepted. A program that broke and makes the
 * same submission again continues it, instead of using a second slot and sending everything again.
 */
export async function submitResumable(
  session: BrokerSession,
  offer: SubmissionInput,
  options: Resumable,
): Promise<Submission> {
  const { journal, round, message, onAccepted, models = [] } = options;
  const { path } = offer;
  // The same file with other models is another submission.
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

/** Codes with which an unfinished submission may have ended in the meantime; a new one is made then. */
const ENDED = new Set(["upload_abandoned", "cancelled", "id_conflict", "already_final"]);

/** Reports, with the first plan of a continued submission, how many parts have arrived. */
function found({ resumed }: Unfinished, { onFound, onPlan }: Resumable): SubmitInputOptions["onPlan"] {
  let reported = !resumed;
  return (upload, source) => {
    onPlan?.(upload, source);
    const of = source.parts.md5.length;
    const arrived = of - missingIn(upload).parts;
    if (!reported && arrived > 0) onFound?.(arrived, of);
    reported = true;
  };
}

/** Frees the slots of bytes that will never be sent. A failure only blocks such a slot until its deadline. */
async function cancelEarlierContent(
  session: BrokerSession,
  file: { of: string[]; sha256: string } | null,
  { journal, signal, onReplaced }: Resumable,
): Promise<void> {
  if (!file) return;
  for (const { id, forget } of submissionsOfEarlierContent(journal.folder, file)) {
    try {
      // Only if its bytes never arrived; an accepted submission is kept.
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
