import {
  CrowdaiError,
  isFinal,
  type Place,
  RUN_STAGES,
  type RunStage,
  type Submission,
  type SubmissionEvent,
} from "@crowdai/shared";
import { after } from "../async/timer.ts";
import type { Feed } from "../client/session/feed.ts";

/** The place of a submission in the queue; null is what is not known. */
export interface Waiting {
  stage: "waiting";
  /** Queue position, starting at 1. */
  place: number | null;
  /** Why it cannot be graded at the moment. */
  reason: string | null;
  /** Expected start of the grading, as an ISO time. */
  expectedAt: string | null;
  /** Number of connected graders that serve the challenge. */
  graders: number | null;
}

/**
 * The progress of a submission, by stage: hashing and uploading its bytes, waiting in the queue, being
 * graded.
 *
 * @example
 * const onProgress = (progress: Progress) => {
 *   if (progress.stage === "waiting") console.log("Queue position:", progress.place);
 * };
 */
export type Progress =
  | { stage: "hashing" | "uploading"; done: number; total: number }
  | Waiting
  | {
      stage: "grading";
      percent: number | null;
      message: string | null;
      /** Of a submission whose code is run: what is being done. */
      step: RunStage | null;
    };

/**
 * Options of calls that wait for a grade.
 *
 * @example
 * await challenge.wait(id, { timeoutMs: 60_000, onEvent: (event) => console.log(event.type) });
 */
export interface FollowOptions {
  /** Called whenever the progress has changed. */
  onProgress?: (progress: Progress) => void;
  /** Called for each numbered event, once and in order. */
  onEvent?: (event: SubmissionEvent) => void;
  /** Called whenever the queue position, or what is known of it, has changed. */
  onPlace?: (place: Place) => void;
  /** Rejects with still_pending after this many milliseconds; the submission continues. */
  timeoutMs?: number;
}

/** Reads a feed to its end and returns the final submission. Always stops the feed. */
export async function follow(feed: Feed, options: FollowOptions = {}): Promise<Submission> {
  const { onProgress, onEvent, onPlace, timeoutMs } = options;
  let waiting: Waiting | null = null;
  const timer =
    timeoutMs === undefined
      ? undefined
      : after(timeoutMs, () => feed.stop(stillPending(feed.submission, timeoutMs, waiting)));
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
  throw new CrowdaiError("interrupted", "The session was closed before the grade arrived.");
}

/** Returns the queue position of a submission, or that in a message about it. */
export function waitingOf(
  queued: Pick<Submission, "place" | "waiting" | "expected_at" | "graders">,
): Waiting {
  const { place, waiting, expected_at, graders } = queued;
  return { stage: "waiting", place, reason: waiting, expectedAt: expected_at, graders };
}

function reportEvent({ type, data }: SubmissionEvent, onProgress: FollowOptions["onProgress"]): void {
  const message = typeof data.message === "string" ? data.message : null;
  const unknown = { stage: "waiting", place: null, expectedAt: null, graders: null } as const;
  if (type === "submitted") onProgress?.({ ...unknown, reason: null });
  else if (type === "requeued")
    onProgress?.({ ...unknown, reason: typeof data.reason === "string" ? data.reason : null });
  else if (type === "grading") onProgress?.({ stage: "grading", percent: null, message: null, step: null });
  else if (type === "progress")
    onProgress?.({
      stage: "grading",
      percent: typeof data.percent === "number" ? data.percent : null,
      message,
      step: RUN_STAGES.find((stage) => stage === data.stage) ?? null,
    });
}

/** Returns the error of a wait that was given up. */
export function stillPending(id: string, ms: number, waiting: Waiting | null): CrowdaiError {
  const why = waiting?.reason ? ` It is waiting: ${waiting.reason}.` : "";
  return new CrowdaiError(
    "still_pending",
    `Submission ${id} was not graded within ${Number((ms / 1000).toPrecision(3))} s and continues.${why}`,
    {
      next: `Run \`crowdai watch ${id}\` to reattach.`,
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
