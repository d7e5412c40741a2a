import { clockTime, shownDay } from "./format.ts";

/** The ticks of an axis: even steps from the first, below all values, to the last, above them. */
export interface Scale {
  ticks: number[];
  /** Decimals that tell the ticks apart. */
  decimals: number;
}

const STEPS = [1, 2, 5, 10];
const MAX_TICKS = 6;
const LARGEST = 1e300;

/** Returns the even steps of 1, 2 or 5 times a power of ten that span the values. */
export function scaleOf(least: number, most: number): Scale {
  const [low, high] = [least, most].map((value) => Math.min(LARGEST, Math.max(-LARGEST, value))) as [
    number,
    number,
  ];
  // Differences that no tick could show count as none.
  const span = Math.max(high - low || Math.abs(high) || 1, Math.abs(high) * 1e-9, 1e-12);
  const power = 10 ** Math.floor(Math.log10(span / (MAX_TICKS - 2)));
  const step = power * (STEPS.find((one) => span / (power * one) <= MAX_TICKS - 2) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const decimals = Math.min(15, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return {
    ticks: Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(decimals))),
    decimals,
  };
}

/**
 * Returns the part of the values that a chart shows. Scores far worse than most would leave no room for the
 * others; they are drawn at its edge.
 */
export function shownRange(values: readonly number[], isLowerBetter: boolean): [low: number, high: number] {
  const sorted = [...values].sort((a, b) => (isLowerBetter ? a - b : b - a));
  const best = sorted[0] as number;
  const most = sorted[Math.floor((sorted.length - 1) * 0.9)] as number;
  const worst = sorted.at(-1) as number;
  const end = Math.abs(worst - best) > 4 * Math.abs(most - best) && most !== best ? most : worst;
  return [Math.min(best, end), Math.max(best, end)];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  ...[1, 5, 15, 30].map((n) => n * MINUTE),
  ...[1, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364, 728, 1820, 3640].map((n) => n * DAY),
];

/** Returns at most six times between the two, with labels in UTC. */
export function timeTicks(from: number, to: number): { at: number; label: string }[] {
  const step = TIME_STEPS.find((one) => (to - from) / one <= 5) ?? (to - from) / 5;
  const ticks: { at: number; label: string }[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const date = new Date(at);
    ticks.push({ at, label: at % DAY === 0 ? shownDay(date) : clockTime(date) });
  }
  return ticks;
}
