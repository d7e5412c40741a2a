import { WebappUnreachable } from "./webapp-client.ts";

const LONGEST = 12;

/**
 * Passes calls on while the webapp answers. After a call without a response, further ones fail at once for a
 * while, which grows each time; then a single call tries again.
 */
export interface CircuitBreaker {
  call<T>(work: () => Promise<T>): Promise<T>;
  /** Records that the webapp answered another call. */
  answered(): void;
}

export function createCircuitBreaker(pauseMs: number): CircuitBreaker {
  let failures = 0;
  let until = 0;
  let isTrying = false;
  let reason = "";

  function failed(error: unknown): void {
    if (!(error instanceof WebappUnreachable) || error.status !== null) return;
    reason = error.message;
    // Of calls that failed together only one counts.
    if (Date.now() < until) return;
    until = Date.now() + pauseMs * Math.min(LONGEST, 2 ** failures);
    failures += 1;
  }

  return {
    async call(work) {
      const isFirst = failures === 0;
      if (!isFirst && (isTrying || Date.now() < until)) throw new WebappUnreachable(reason);
      isTrying = !isFirst;
      try {
        const value = await work();
        failures = 0;
        return value;
      } catch (error) {
        failed(error);
        throw error;
      } finally {
        if (!isFirst) isTrying = false;
      }
    },
    answered() {
      failures = 0;
    },
  };
}
