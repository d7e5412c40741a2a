import { CrowdaiError, isFinal, type Submission, type SubmissionEvent } from "@crowdai/shared";
import type { Feed } from "../client/feed.ts";
import { after } from "../client/timer.ts";

/** What goes on, for whoever waits. */
export type Progress =
  | { stage: "hashing" | "uploading"; done: number; total: number }
  | { stage: "waiting"; place: number | null; reason: string | null }
  | { stage: "grading"; percent: number | null; message: string | null };

export interface FollowOptions {
  onProgress?: (progress: Progress) => void;
  onEvent?: (event: SubmissionEvent) => void;
  /** After this many milliseconds the wait ends with still_pending; the submission goes on. */
  timeoutMs?: number;
}

/** Reads a feed to its end and returns the final submission. Stops the feed whatever happens. */
export async function follow(feed: Feed, options: FollowOptions = {}): Promise<Submission> {
  const { onProgress, onEvent, timeoutMs } = options;
  const timer =
    timeoutMs === undefined
      ? undefined
      : after(timeoutMs, () => feed.stop(pending(feed.submission, timeoutMs)));
  let last: Submission | null = null;
  try {
    for await (const update of feed) {
      if (update.kind === "place")
        onProgress?.({ stage: "waiting", place: update.place.place, reason: update.place.waiting });
      else if (update.kind === "submission") {
        last = update.submission;
        reportState(last, onProgress);
      } else {
        last = update.submission ?? last;
        onEvent?.(update.event);
        reportEvent(update.event, onProgress);
      }
    }
  } finally {
    clearTimeout(timer);
    feed.stop();
  }
  if (last && isFinal(last.state)) return last;
  throw new CrowdaiError("interrupted", "The session was closed before the grade came.");
}

function reportState(submission: Submission, onProgress: FollowOptions["onProgress"]): void {
  if (submission.state === "submitted")
    onProgress?.({ stage: "waiting", place: submission.place, reason: submission.waiting });
}

function reportEvent({ type, data }: SubmissionEvent, onProgress: FollowOptions["onProgress"]): void {
  const message = typeof data.message === "string" ? data.message : null;
  if (type === "submitted") onProgress?.({ stage: "waiting", place: null, reason: null });
  else if (type === "requeued")
    onProgress?.({
      stage: "waiting",
      place: null,
      reason: typeof data.reason === "string" ? data.reason : null,
    });
  else if (type === "grading") onProgress?.({ stage: "grading", percent: null, message: null });
  else if (type === "progress")
    onProgress?.({
      stage: "grading",
      percent: typeof data.percent === "number" ? data.percent : null,
      message,
    });
}

function pending(id: string, ms: number): CrowdaiError {
  return new CrowdaiError(
    "still_pending",
    `Submission ${id} is not graded yet after ${Number((ms / 1000).toPrecision(3))} s. It goes on.`,
    {
      next: `Reattach with \`crowdai watch ${id}\`.`,
      details: { submission: id },
    },
  );
}
