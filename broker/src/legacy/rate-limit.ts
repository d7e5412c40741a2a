/** Calls that may come at once. */
const BURST = 100;
/** Calls a second that may come on and on. */
const STEADY = 20;

/** Whether one more call is within the pace, for each caller. The clock counts milliseconds. */
export function createRateLimit(now: () => number = () => performance.now()) {
  const callers = new Map<string, { left: number; at: number }>();
  return {
    allows(caller: string): boolean {
      const at = now();
      const known = callers.get(caller);
      const left = known ? Math.min(BURST, known.left + ((at - known.at) / 1000) * STEADY) : BURST;
      callers.set(caller, { left: left >= 1 ? left - 1 : left, at });
      return left >= 1;
    },
    /** Forgets those who may make a full burst again, as a stranger may. */
    tidy(): void {
      const at = now();
      for (const [caller, { left, at: then }] of callers)
        if (left + ((at - then) / 1000) * STEADY >= BURST) callers.delete(caller);
    },
  };
}
