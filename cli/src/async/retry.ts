import { pause, throwIfAborted } from "./abort.ts";

export interface RetryPolicy {
  /** Number of retries after the first failure. Default 3. */
  retries?: number;
  baseMs?: number;
  capMs?: number;
  /** No retry starts once this much time has passed since the first attempt began. Default: no limit. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** Returns the milliseconds to wait before the next attempt: capped exponential backoff with full jitter. */
export function backoff(attempt: number, { baseMs = 250, capMs = 5_000 }: RetryPolicy = {}): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}

/**
 * Runs `work` until it succeeds or must not be retried. `retryAfter` decides about a failure: false for no
 * retry, or the minimum number of milliseconds to wait (from a Retry-After header; 0 leaves the wait to the
 * backoff).
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  retryAfter: (failure: unknown) => number | false,
  policy: RetryPolicy = {},
): Promise<T> {
  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(policy.signal);
    try {
      return await work();
    } catch (failure) {
      throwIfAborted(policy.signal);
      const late = performance.now() - began > (policy.withinMs ?? Number.POSITIVE_INFINITY);
      const minimum = attempt < (policy.retries ?? 3) && !late ? retryAfter(failure) : false;
      if (minimum === false) throw failure;
      await pause(Math.max(minimum, backoff(attempt, policy)), policy.signal);
    }
  }
}
