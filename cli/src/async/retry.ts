import { pause, throwIfAborted } from "./abort.ts";

export interface RetryPolicy {
  /** How often it is tried again after the first failure. */
  retries?: number;
  baseMs?: number;
  capMs?: number;
  /** A try that fails later than this after the first one began is the last. Default: no limit. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** Milliseconds before the next try: capped exponential backoff with full jitter. */
export function backoff(attempt: number, { baseMs = 250, capMs = 5_000 }: RetryPolicy = {}): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}

/**
 * Runs `work` until it succeeds. `again` looks at a failure and says whether trying again makes sense: false, or the
 * least number of milliseconds to wait (what a Retry-After asked for; 0 leaves it to the backoff).
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  again: (failure: unknown) => number | false,
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
      const least = attempt < (policy.retries ?? 3) && !late ? again(failure) : false;
      if (least === false) throw failure;
      await pause(Math.max(least, backoff(attempt, policy)), policy.signal);
    }
  }
}
