import { relativeTime } from "./time.ts";

export const queuePositionText = (place: number): string =>
  place === 1 ? "next in line" : `place ${place} in line`;

export const gradersText = (graders: number): string =>
  graders === 0 ? "no grader" : graders === 1 ? "1 grader" : `${graders} graders`;

/** When something should begin; an expectation that has passed is no news. */
export function startText(expectedAt: string, now: number = Date.now()): string {
  return Date.parse(expectedAt) - now < 1000 ? "now" : relativeTime(expectedAt, now);
}
