const LONGEST = 12;

/**
 * Passes calls on while a server answers. After a call that fails with an outage, further ones fail at once,
 * with the same error, for a while, which grows each time; then a single call tries again.
 */
export interface CircuitBreaker {
  call<T>(work: () => Promise<T>): Promise<T>;
  /** Returns whether a call would fail at once. */
  isOpen(): boolean;
  /** Records that the server answered another call. */
  answered(): void;
}

/** Creates one; `isOutage` tells the errors of a server that does not answer from others. */
export function createCircuitBreaker(pauseMs: number, isOutage: (error: unknown) => boolean): CircuitBreaker {
  let failures = 0;
  let until = 0;
  let isTrying = false;
  let latest: unknown;
  const isOpen = () => failures > 0 && (isTrying || Date.now() < until);

  function failed(error: unknown): void {
    if (!isOutage(error)) return;
    latest = error;
    // Of calls that failed together only one counts.
    if (Date.now() < until) return;
    until = Date.now() + pauseMs * Math.min(LONGEST, 2 ** failures);
    failures += 1;
  }

  return {
    async call(work) {
      const isFirst = failures === 0;
      if (isOpen()) throw latest;
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
    isOpen,
    answered() {
      failures = 0;
    },
  };
}
