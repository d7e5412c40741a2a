import { createSubmissionId, type Submission } from "@crowdai/shared";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { type FollowOptions, follow } from "./follow.ts";
import { afterAcceptance, beforeAcceptance, requireGraded } from "./grade.ts";
import { sendSubmission } from "./send-submission.ts";
import type { SubmissionInput } from "./submission-input.ts";

export interface TryCheckOptions extends FollowOptions {
  broker: URL;
  agents?: Agents;
  round?: string | number;
  signal?: AbortSignal;
}

/**
 * Sends an input to the evaluator's check on a grader: no slot, no score. Returns the trial. Throws
 * check_failed, and what a call can throw.
 */
export async function tryCheck(
  session: BrokerSession,
  { input, source }: SubmissionInput,
  options: TryCheckOptions,
): Promise<Submission> {
  const { broker, agents, round, signal, onProgress } = options;
  const challenge = session.opening.challenge!;
  const id = createSubmissionId();
  const intent = {
    ...{ id, challenge: challenge.id, input },
    round: round === undefined ? null : String(round),
    function: challenge.check!.function!,
  };
  const onUpload = (done: number, total: number) => onProgress?.({ stage: "uploading", done, total });
  await sendSubmission(session, { intent, source, broker, agents, signal, follow: true, onUpload }).catch(
    (failure) => {
      session.watch(id).stop();
      throw beforeAcceptance(failure, id);
    },
  );
  try {
    return requireGraded(await follow(session.watch(id, { signal }), options));
  } catch (failure) {
    throw afterAcceptance(failure, id);
  }
}
