/** Counts durations by their size, with an error of at most 3 %, in constant memory. */
export function createTimes() {
  const counts = new Uint32Array(STEPS * 40);
  let total = 0;

  function percentile(part: number): number {
    let left = Math.max(1, Math.ceil(total * part));
    for (let i = 0; i < counts.length; i++) {
      left -= counts[i]!;
      if (left <= 0) return Math.round((2 ** ((i + 0.5) / STEPS) - 1) * UNIT_MS * 1000) / 1000;
    }
    return 0;
  }

  return {
    add(ms: number): void {
      const size = Math.floor(Math.log2(1 + Math.max(0, ms) / UNIT_MS) * STEPS);
      counts[Math.min(size, counts.length - 1)]!++;
      total++;
    },
    summary: () => (total === 0 ? { p50: 0, p99: 0 } : { p50: percentile(0.5), p99: percentile(0.99) }),
  };
}

const UNIT_MS = 0.001;
/** Sizes for each doubling. */
const STEPS = 12;
