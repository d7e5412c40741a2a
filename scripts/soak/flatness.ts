/** One value of a process or service, at each sample. */
export interface Series {
  name: string;
  values: readonly number[];
  /** Growth by so much is noise, whatever part of the value it is. */
  noise: number;
}

export interface Flatness {
  name: string;
  before: number;
  after: number;
  /** Part by which it grew. */
  growth: number;
  isFlat: boolean;
}

const ALLOWED = 0.05;

/**
 * Compares the second quarter of a run with its last one. The first is for warming up. Of each, the value
 * counts below which a quarter of its samples are: memory rises until it is collected. It may shrink.
 */
export function flatnessOf({ name, values, noise }: Series): Flatness {
  const quarter = Math.floor(values.length / 4);
  const before = lowerQuartile(values.slice(quarter, 2 * quarter));
  const after = lowerQuartile(values.slice(-quarter));
  const growth = before === 0 ? 0 : after / before - 1;
  return { name, before, after, growth, isFlat: after - before <= noise || growth <= ALLOWED };
}

function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
