import { describe, expect, it } from "vitest";
import { roundScore } from "./round-score.ts";

describe("rounding a score", () => {
  it.each([
    [2.675, 2, 2.68],
    [-2.675, 2, -2.68],
    [1.005, 2, 1.01],
    [0.1 + 0.2, 15, 0.3],
    [0.98765, 3, 0.988],
    [0.0005, 3, 0.001],
    [0.00049999, 3, 0],
    [-0.0001, 3, 0],
    [1e-10, 3, 0],
    [123456.5, 0, 123457],
    [1e21, 3, 1e21],
    [-1.5e300, 3, -1.5e300],
    [5e-324, 3, 0],
    [Number.MAX_VALUE, 3, Number.MAX_VALUE],
  ])("%d at %d decimals is %d", (score, precision, expected) => {
    expect(Object.is(roundScore(score, precision), expected)).toBe(true);
  });
});
