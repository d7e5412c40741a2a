/** How much of the past counts: a rate follows a change within seconds, and does not jump. */
const SMOOTHING_MS = 3_000;
/** Earlier, a rate is a guess. */
const SETTLED_MS = 1_000;
/** A draw of the live line. */
const STEP_MS = 100;

/** How fast something goes, and how long it still takes; null while that is not known. */
export interface Pace {
  perSecond: number | null;
  leftMs: number | null;
}

/** Measures a smoothed rate from amounts that are done. Starts again when less is done than before. */
export function createRate(now: () => number = () => performance.now()) {
  let first: { at: number; done: number } | undefined;
  let last = { at: 0, done: 0 };
  let rate: number | null = null;
  return (done: number, total: number): Pace => {
    const at = now();
    if (!first || done < last.done) {
      first = { at, done };
      last = first;
      rate = null;
    }
    const elapsed = at - last.at;
    if (elapsed >= STEP_MS) {
      const current = ((done - last.done) / elapsed) * 1000;
      // The mean at first, which weighs less and less.
      const weight = Math.max(1 - Math.exp(-elapsed / SMOOTHING_MS), Math.min(1, elapsed / (at - first.at)));
      rate = rate === null ? current : rate + (current - rate) * weight;
      last = { at, done };
    }
    if (rate === null || rate <= 0 || at - first.at < SETTLED_MS) return { perSecond: null, leftMs: null };
    return { perSecond: rate, leftMs: ((total - done) / rate) * 1000 };
  };
}
