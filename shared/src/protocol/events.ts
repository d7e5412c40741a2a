import { z } from "zod";

/**
 * The events of a submission, in order. `seq` starts at 1 and has no gaps: a client that has seen event n
 * requests the events after n and receives exactly those. The last event of a submission is graded, failed or
 * cancelled.
 */
export const EVENT_TYPES = [
  "initiated",
  "submitted",
  "grading",
  "progress",
  "log",
  "requeued",
  "graded",
  "failed",
  "cancelled",
] as const;

export const submissionEventSchema = z.object({
  submission: z.string(),
  seq: z.number().int(),
  at: z.string(),
  type: z.enum(EVENT_TYPES),
  /**
   * progress: percent, message, and stage while code is run · log: message · grading: attempt, grader ·
   * requeued: reason · failed: error.
   */
  data: z.record(z.string(), z.unknown()),
});
export type SubmissionEvent = z.infer<typeof submissionEventSchema>;
export type EventType = (typeof EVENT_TYPES)[number];

/** Returns whether an event of this type is the last one of its submission. */
export function isLastEvent(type: EventType): boolean {
  return type === "graded" || type === "failed" || type === "cancelled";
}
