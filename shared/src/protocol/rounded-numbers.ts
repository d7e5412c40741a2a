import { isExactNumber } from "./exact-json.ts";

const exactLists = new WeakMap<object, unknown[]>();

/** Returns a value with JavaScript numbers in place of exact ones, for code that knows only the former. */
export function roundNumbers(value: unknown): unknown {
  if (isExactNumber(value)) return Number(value.text);
  if (typeof value !== "object" || value === null) return value;
  const items = Object.values(value);
  const rounded = items.map(roundNumbers);
  if (rounded.every((item, index) => item === items[index])) return value;
  if (Array.isArray(value)) {
    exactLists.set(rounded, value);
    return rounded;
  }
  return Object.fromEntries(Object.keys(value).map((name, index) => [name, rounded[index]]));
}

/** Returns the list with exact numbers that a list was made from, or the list itself. */
export function exactListOf(list: unknown[]): unknown[] {
  return exactLists.get(list) ?? list;
}
