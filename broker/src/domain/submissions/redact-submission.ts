import type { Submission, SubmissionEvent } from "@crowdai/shared";

/**
 * The submission as it is told to others than its participant and the challenge's organisers: how it did. What was handed in, what the
 * participant wrote with it and what the evaluator answered stay between these two. Once it is published its code and its files are
 * everybody's, and so are the words, which the public commit carries.
 */
export function redactSubmission(submission: Submission): Submission {
  const told = {
    ...submission,
    input: null,
    grading_message: null,
    data: null,
    error: null,
    media_dropped: null,
  };
  if (submission.published_at !== null) return told;
  return { ...told, message: null, artifacts: [], code: null, publish: false };
}

/** How far its grading is, without the evaluator's words. */
export function redactEvents(events: SubmissionEvent[]): SubmissionEvent[] {
  return events
    .filter(({ type }) => type === "grading" || type === "progress")
    .map((event) => ({
      ...event,
      data: event.type === "progress" ? { percent: event.data.percent } : {},
    }));
}
