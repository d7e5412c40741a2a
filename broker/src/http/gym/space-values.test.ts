import type { Space } from "@crowdai/shared";
import { expect, it } from "vitest";
import { contains, sampleOf } from "./space-values.ts";

const box = (low: number[], high: number[], shape = [low.length], dtype?: string): Space => ({
  ...{ name: "Box" as const, shape, low, high },
  ...(dtype && { dtype }),
});
const SPACES: Space[] = [
  { name: "Discrete", n: 4 },
  { name: "Discrete", n: 2, start: -1 },
  box([0, 0, 0, 0, 0, 0], [1, 1, 1, 2, 2, 2], [2, 3]),
  box([-1e100, 0, -1e100], [1e100, 1e100, -5]),
  box([0, 250], [3, 255], [2], "uint8"),
  box([1], [2], []),
  box([], [], [0, 2]),
  { name: "MultiDiscrete", nvec: [2, 3] },
  { name: "MultiBinary", n: 3 },
  { name: "Dict", spaces: { a: { name: "Discrete", n: 2 }, b: { name: "Tuple", spaces: [box([0], [1])] } } },
  { name: "Text", max_length: 3 },
  { name: "Any" },
];

it.each(SPACES)("draws values that are in $name", (space) => {
  for (const random of [() => 0, () => 0.5, () => 0.9999999])
    expect(contains(space, sampleOf(space, random))).toBe(true);
});

const OUTSIDE: [unknown, Space][] = [
  [4, { name: "Discrete", n: 4 }],
  [1.5, { name: "Discrete", n: 4 }],
  ["1", { name: "Discrete", n: 4 }],
  [[1, 2], box([0, 0], [1, 1])],
  [[1], box([0, 0], [1, 1])],
  [[1, Number.NaN], box([0, 0], [1, 1])],
  [[[1, 1]], box([0, 0], [1, 1])],
  [[2, 0], { name: "MultiDiscrete", nvec: [2, 3] }],
  [[0, 2], { name: "MultiBinary", n: 2 }],
  [
    { a: 1, b: 1 },
    { name: "Dict", spaces: { a: { name: "Any" } } },
  ],
  [{}, { name: "Dict", spaces: { toString: { name: "Any" as const } } }],
  [[1], { name: "Tuple", spaces: [] }],
  ["long", { name: "Text", max_length: 3 }],
];

it.each(OUTSIDE)("does not take %j for a value of $name", (value, space) => {
  expect(contains(space, value)).toBe(false);
});
