import { describe, expect, it } from "vitest";
import type { Figure } from "./figure.ts";
import { combine, isSteady } from "./steady.ts";

const ratio = (value: number): Figure[] => [
  { name: "one job", value: value * 2, unit: "ms" },
  { name: "  ours / theirs", value, unit: "×", target: "at most 2.5", met: value <= 2.5 },
];

describe("a figure of several rounds", () => {
  it("is the median of the rounds, and meets its target where the median does", () => {
    expect(combine([2.4, 9, 2.2].map(ratio))).toMatchObject([
      { name: "one job", value: 4.8, rounds: [4.8, 18, 4.4] },
      { name: "  ours / theirs", value: 2.4, met: true },
    ]);
    expect(combine([2.6, 9, 2.2].map(ratio))[1]).toMatchObject({ value: 2.6, met: false });
  });

  it("is steady when no round decides alone", () => {
    expect(isSteady(combine([2, 2.05, 1.98].map(ratio)))).toBe(true);
    expect(isSteady(combine([2, 3, 1].map(ratio)))).toBe(false);
    expect(isSteady(combine([2, 2.05, 1.98, 9, 2.01].map(ratio)))).toBe(true);
  });

  it("is not steady before the third round", () => {
    expect(isSteady(combine([2, 2].map(ratio)))).toBe(false);
  });

  it("is judged by its ratios where it has some, since the machine moves the others", () => {
    const rounds = [10, 20, 40].map((ms) => [{ name: "a", value: ms, unit: "ms" }, ...ratio(2).slice(1)]);
    expect(isSteady(combine(rounds))).toBe(true);
    expect(isSteady(combine(rounds.map(([first]) => [{ ...first!, target: "≤ 9 ms", met: false }])))).toBe(
      false,
    );
  });
});
