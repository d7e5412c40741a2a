import { INFINITE, type Space } from "@crowdai/shared";

/** How far from its other bound, or from 0, a value without a bound is drawn. */
const SPREAD = 1;

/** Draws a value of a space, as gym's `sample` does. */
export function sampleOf(space: Space, random: () => number = Math.random): unknown {
  const below = (n: number) => Math.floor(random() * n);
  switch (space.name) {
    case "Discrete":
      return (space.start ?? 0) + below(space.n);
    case "Box":
      return shaped(
        space.shape,
        space.low.map((low, index) => between(low, space.high[index] as number, random(), isWhole(space))),
      );
    case "MultiDiscrete":
      return space.nvec.map(below);
    case "MultiBinary":
      return Array.from({ length: space.n }, () => below(2));
    case "Dict":
      return Object.fromEntries(
        Object.entries(space.spaces).map(([name, one]) => [name, sampleOf(one, random)]),
      );
    case "Tuple":
      return space.spaces.map((one) => sampleOf(one, random));
    case "Text":
      return "";
    case "Any":
      return null;
  }
}

/** Returns whether a value is in a space, as gym's `contains` does. */
export function contains(space: Space, value: unknown): boolean {
  switch (space.name) {
    case "Discrete":
      return isIntegerIn(value, space.start ?? 0, (space.start ?? 0) + space.n - 1);
    case "Box": {
      const flat = flattened(space.shape, value);
      return (
        flat?.every(
          (one, index) => one >= (space.low[index] ?? -INFINITE) && one <= (space.high[index] ?? INFINITE),
        ) ?? false
      );
    }
    case "MultiDiscrete":
      return (
        isListOf(value, space.nvec.length) &&
        space.nvec.every((n, index) => isIntegerIn(value[index], 0, n - 1))
      );
    case "MultiBinary":
      return isListOf(value, space.n) && value.every((one) => isIntegerIn(one, 0, 1));
    case "Dict": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
      const names = Object.keys(space.spaces);
      return (
        names.length === Object.keys(value).length &&
        names.every(
          (name) =>
            Object.hasOwn(value, name) &&
            contains(space.spaces[name] as Space, (value as Record<string, unknown>)[name]),
        )
      );
    }
    case "Tuple":
      return (
        isListOf(value, space.spaces.length) &&
        space.spaces.every((one, index) => contains(one, value[index]))
      );
    case "Text":
      return typeof value === "string" && value.length <= (space.max_length ?? Number.POSITIVE_INFINITY);
    case "Any":
      return true;
  }
}

const isWhole = ({ dtype }: { dtype?: string | undefined }) =>
  dtype !== undefined && /^u?int|^bool/.test(dtype);
const isListOf = (value: unknown, length: number): value is unknown[] =>
  Array.isArray(value) && value.length === length;
const isIntegerIn = (value: unknown, low: number, high: number) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

function between(low: number, high: number, part: number, whole: boolean): number {
  const from = low > -INFINITE ? low : Math.min(high < INFINITE ? high : 0, 0) - SPREAD;
  const to = high < INFINITE ? high : Math.max(from, 0) + SPREAD;
  return whole ? Math.min(Math.floor(from + part * (to - from + 1)), to) : from + part * (to - from);
}

/** Returns the numbers of a nested list of this shape in order; null when it has another. */
function flattened(shape: readonly number[], value: unknown): number[] | null {
  const [length, ...rest] = shape;
  if (length === undefined) return typeof value === "number" && Number.isFinite(value) ? [value] : null;
  if (!isListOf(value, length)) return null;
  const items = value.map((one) => flattened(rest, one));
  return items.every((one) => one !== null) ? items.flat() : null;
}

function shaped(shape: readonly number[], flat: readonly number[]): unknown {
  const [length, ...rest] = shape;
  if (length === undefined) return flat[0];
  const size = length === 0 ? 0 : flat.length / length;
  return Array.from({ length }, (_, index) => shaped(rest, flat.slice(index * size, (index + 1) * size)));
}
