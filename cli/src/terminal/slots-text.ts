import type { Limits } from "@crowdai/shared";
import { timeText } from "./time.ts";

/**
 * Returns how many submissions are left, such as `9 of 10 per day`, and when the next slot is free if none
 * is.
 */
export function slotsText({ limit, remaining, next_at }: Limits): string {
  if (!limit || remaining === null) return "no limit";
  const next = remaining === 0 && next_at ? `, next slot ${timeText(next_at)}` : "";
  return `${remaining} of ${limit.count} per ${limit.per}${next}`;
}
