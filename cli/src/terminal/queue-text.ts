import { relativeTime } from "./time.ts";

export const queuePositionText = (position: number): string =>
  position === 1 ? "next in the queue" : `position ${position} in the queue`;

export const gradersText = (graders: number): string =>
  graders === 0 ? "no graders" : graders === 1 ? "1 grader" : `${graders} graders`;

/** Returns when something is expected to start: `now` for a time that has passed, else such as `in 20 s`. */
export function startText(expectedAt: string, now: number = Date.now()): string {
  return Date.parse(expectedAt) - now < 1000 ? "now" : relativeTime(expectedAt, now);
}
