import { expect, it } from "vitest";
import { flatnessOf, percentile } from "./flatness.ts";

const series = (value: (index: number) => number) => ({
  name: "memory",
  values: Array.from({ length: 40 }, (_, index) => value(index)),
  noise: 0,
});

it("a value that grows by more than 5 % after the first quarter of a run is not flat", () => {
  expect(flatnessOf(series((index) => 100 + index))).toMatchObject({ isFlat: false });
  expect(flatnessOf(series((index) => 100 + index / 10))).toMatchObject({ isFlat: true });
  expect(flatnessOf({ ...series((index) => 100 + index), noise: 50 })).toMatchObject({ isFlat: true });
});

it("warming up, shrinking, and what is collected again do not count as growth", () => {
  expect(flatnessOf(series((index) => Math.min(index, 9) * 100))).toMatchObject({ isFlat: true });
  expect(flatnessOf(series((index) => 100 - index))).toMatchObject({ isFlat: true });
  expect(flatnessOf(series((index) => 100 + (index % 5) * 20))).toMatchObject({ isFlat: true, growth: 0 });
});

it("a percentile is the value that so many do not exceed", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([percentile(hundred, 0.99), percentile([7], 0.99), percentile([], 0.99)]).toEqual([99, 7, 0]);
});
