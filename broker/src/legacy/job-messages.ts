import type { Submission, SubmissionEvent } from "@crowdai/shared";
import type { JobMessage } from "./messages.ts";

/**
 * Returns the message for an event of a submission; null for events that the client does not need, and for
 * the last one.
 */
export function progressMessage({ type, data }: SubmissionEvent): JobMessage | null {
  const said = typeof data.message === "string" ? data.message : "";
  switch (type) {
    case "submitted":
      return { state: "ENQUEUED", message: "", data: {} };
    case "grading":
      return { state: "RUNNING", message: "", data: {} };
    case "progress":
      if (typeof data.percent === "number")
        return {
          state: "PROGRESS_UPDATE",
          message: said,
          data: { percent_complete: Math.min(100, Math.max(0, data.percent)) },
        };
      return said ? { state: "INFO", message: said, data: {} } : null;
    case "log":
      return { state: "INFO", message: said, data: {} };
    case "requeued":
      return { state: "INFO", message: `Back in the queue: ${data.reason}.`, data: {} };
    default:
      return null;
  }
}

/**
 * Returns the outcome of a submission. `data` always has the scores, the secondary one in both spellings that
 * clients know.
 */
export function finalMessage(submission: Submission): JobMessage {
  const { state, error, grading_message, score, score_secondary } = submission;
  if (state !== "graded") return errorMessage(error?.message ?? `The submission is ${state}.`, submission.id);
  const returned = isObject(submission.data) ? submission.data : {};
  const secondary = score_secondary ?? returned.score_secondary ?? returned.secondary_score ?? null;
  return {
    state: "COMPLETE",
    message: grading_message ?? "",
    data: {
      ...returned,
      ...(isObject(submission.data) || submission.data === null ? {} : { data: submission.data }),
      score: score ?? returned.score ?? null,
      score_secondary: secondary,
      secondary_score: secondary,
      submission_id: submission.id,
    },
  };
}

export function errorMessage(message: string, submissionId: string | null = null): JobMessage {
  const none = { score: null, score_secondary: null, secondary_score: null };
  return { state: "ERROR", message, data: { ...none, submission_id: submissionId } };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
