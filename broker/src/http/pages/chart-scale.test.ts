import { describe, expect, it } from "vitest";
import { scaleOf, shownRange, timeTicks } from "./chart-scale.ts";

describe("the scale of a chart", () => {
  it.each([
    [0, 1, [0, 0.5, 1], 1],
    [15.6, 68.3, [0, 20, 40, 60, 80], 0],
    [0.9912, 0.9987, [0.99, 0.992, 0.994, 0.996, 0.998, 1], 3],
    [-3, 5, [-4, -2, 0, 2, 4, 6], 0],
    [3, 3, [3, 4], 0],
    [0, 0, [0, 0.5], 1],
  ])("from %d to %d has even ticks that tell the values apart", (low, high, ticks, decimals) => {
    const scale = scaleOf(low, high);
    expect(scale.ticks.length).toBeGreaterThan(1);
    expect(scale.ticks[0]).toBeLessThanOrEqual(low);
    expect(scale.ticks.at(-1)).toBeGreaterThanOrEqual(high);
    expect(scale).toEqual({ ticks, decimals });
  });

  it("is finite for the largest and the smallest scores", () => {
    for (const [low, high] of [
      [-Number.MAX_VALUE, Number.MAX_VALUE],
      [1e-12, 2e-12],
      [1e308, 1e308],
      [1e-320, 1e-320],
      [1e15, 1e15 + 1],
    ] as const) {
      const { ticks } = scaleOf(low, high);
      expect(ticks.every(Number.isFinite)).toBe(true);
      expect(ticks.at(-1)).toBeGreaterThan(ticks[0] as number);
      expect(ticks.length).toBeLessThan(12);
    }
  });

  it("leaves out scores far worse than most, in both orders", () => {
    const scores = Array.from({ length: 20 }, (_, i) => i);
    expect(shownRange([...scores, 1e6], true)).toEqual([0, 18]);
    expect(shownRange([...scores.map((n) => 100 - n), -1e6], false)).toEqual([82, 100]);
    expect(shownRange(scores, true)).toEqual([0, 19]);
    expect(shownRange([7], false)).toEqual([7, 7]);
  });

  it("labels times by days, or by hours within days", () => {
    const at = (text: string) => Date.parse(text);
    expect(timeTicks(at("2026-11-01T10:00Z"), at("2026-11-04T10:00Z")).map(({ label }) => label)).toEqual([
      "2 Nov",
      "3 Nov",
      "4 Nov",
    ]);
    expect(timeTicks(at("2026-11-01T10:00Z"), at("2026-11-01T13:30Z")).map(({ label }) => label)).toEqual([
      "10:00",
      "11:00",
      "12:00",
      "13:00",
    ]);
  });
});
