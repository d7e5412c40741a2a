import { iso } from "../../base/clock.ts";

/** Pauses between tries of a message of an outbox: they double, up to the longest. */
export interface Pauses {
  firstMs: number;
  longestMs: number;
}

/**
 * Returns when a message that failed `tries` times before is to be sent again; spread, so that not all come
 * at once.
 */
export function retryAt(now: number, tries: number, { firstMs, longestMs }: Pauses): string {
  const pause = Math.min(longestMs, firstMs * 2 ** Math.min(tries, 20));
  return iso(now + pause * (0.75 + Math.random() / 2));
}
