import { CrowdaiError, isFinal, type Place, type Submission, type SubmissionEvent } from "@crowdai/shared";
import { after } from "../async/timer.ts";
import type { Feed } from "../client/session/feed.ts";

/** How a submission stands in line. Null is what is not known. */
export interface Waiting {
  stage: "waiting";
  place: number | null;
  /** Why nothing can grade it right now. */
  reason: string | null;
  /** When grading should begin. */
  expectedAt: string | null;
  /** Graders attached that serve the challenge. */
  graders: number | null;
}

/** What goes on, for whoever waits. */
export type Progress =
  | { stage: "hashing" | "uploading"; done: number; total: number }
  | Waiting
  | { stage: "grading"; percent: number | null; message: string | null };

export interface FollowOptions {
  onProgress?: (progress: Progress) => void;
  onEvent?: (event: SubmissionEvent) => void;
  /** Called whenever its place in line, or what is known of it, has changed. */
  onPlace?: (place: Place) => void;
  /** After this many milliseconds the wait ends with still_pending; the submission goes on. */
  timeoutMs?: number;
}

/** Reads a feed to its end and returns the final submission. Stops the feed whatever happens. */
export async function follow(feed: Feed, options: FollowOptions = {}): Promise<Submission> {
  const { onProgress, onEvent, onPlace, timeoutMs } = options;
  let waiting: Waiting | null = null;
  const timer =
    timeoutMs === undefined
      ? undefined
      : after(timeoutMs, () => feed.stop(pending(feed.submission, timeoutMs, waiting)));
  let last: Submission | null = null;
  try {
    for await (const update of feed) {
      if (update.kind === "place") {
        waiting = waitingOf(update.place);
        onPlace?.(update.place);
        onProgress?.(waiting);
      } else if (update.kind === "submission") {
        last = update.submission;
        if (last.state === "submitted") {
          waiting = waitingOf(last);
          onProgress?.(waiting);
        }
      } else {
        last = update.submission ?? last;
        waiting = null;
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

/** How a submission stands in line, by itself or by a message about its place. */
export function waitingOf(told: Pick<Submission, "place" | "waiting" | "expected_at" | "graders">): Waiting {
  const { place, waiting, expected_at, graders } = told;
  return { stage: "waiting", place, reason: waiting, expectedAt: expected_at, graders };
}

function reportEvent({ type, data }: SubmissionEvent, onProgress: FollowOptions["onProgress"]): void {
  const message = typeof data.message === "string" ? data.message : null;
  const unknown = { stage: "waiting", place: null, expectedAt: null, graders: null } as const;
  if (type === "submitted") onProgress?.({ ...unknown, reason: null });
  else if (type === "requeued")
    onProgress?.({ ...unknown, reason: typeof data.reason === "string" ? data.reason : null });
  else if (type === "grading") onProgress?.({ stage: "grading", percent: null, message: null });
  else if (type === "progress")
    onProgress?.({
      stage: "grading",
      percent: typeof data.percent === "number" ? data.percent : null,
      message,
    });
}

function pending(id: string, ms: number, waiting: Waiting | null): CrowdaiError {
  const why = waiting?.reason ? ` It waits: ${waiting.reason}.` : "";
  return new CrowdaiError(
    "still_pending",
    `Submission ${id} is not graded yet after ${Number((ms / 1000).toPrecision(3))} s.${why} It goes on.`,
    {
      next: `Reattach with \`crowdai watch ${id}\`.`,
      details: {
        submission: id,
        ...(waiting && {
          place: waiting.place,
          waiting: waiting.reason,
          expected_at: waiting.expectedAt,
          graders: waiting.graders,
        }),
      },
    },
  );
}
