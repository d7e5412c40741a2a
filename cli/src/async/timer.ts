/** The runtime counts no further than this, and lets a timer beyond it, or of Infinity, fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** As setTimeout, but what is too far off for the runtime, Infinity too, never comes. */
export function after(ms: number, act: () => void): NodeJS.Timeout | undefined {
  return ms > MAX_TIMER_MS ? undefined : setTimeout(act, ms);
}
