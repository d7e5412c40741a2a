import type { Submission, SubmissionEvent } from "@crowdai/shared";
import { isDetailedResults } from "./artifacts.ts";

/**
 * Returns the submission as shown to others than its participant and the challenge's organizers: its result
 * only. The input, the participant's message, the evaluator's messages, and how code was run or an agent
 * played, stay private. Once published, its code, its files and the message (which the public commit
 * contains) are visible to everyone.
 */
export function redactSubmission(submission: Submission): Submission {
  const redacted = {
    ...submission,
    input: null,
    sealed_at: null,
    selected: false,
    grading_message: null,
    data: null,
    member: null,
    disqualified: null,
    error: null,
    media_dropped: null,
    run: null,
    environment: null,
  };
  if (submission.published_at !== null)
    return { ...redacted, artifacts: submission.artifacts.filter((file) => !isDetailedResults(file)) };
  return { ...redacted, message: null, artifacts: [], code: null, publish: false };
}

/** Returns how far the grading is, without the evaluator's messages. */
export function redactEvents(events: SubmissionEvent[]): SubmissionEvent[] {
  return events
    .filter(({ type }) => type === "grading" || type === "progress")
    .map((event) => ({
      ...event,
      data: event.type === "progress" ? { percent: event.data.percent } : {},
    }));
}
