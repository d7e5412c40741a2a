import type { FuncKeywordDefinition, SchemaValidateFunction } from "ajv";
import { isExactNumber } from "./exact-json.ts";
import { canonicalNumber } from "./number-text.ts";
import { exactListOf } from "./rounded-numbers.ts";

/**
 * Implements the keyword `uniqueItems` in one pass. Comparing every pair, as validators do, takes seconds for
 * a list of 100,000 items, and would let a participant block the broker.
 */
export const distinctItems: FuncKeywordDefinition = {
  keyword: "uniqueItems",
  type: "array",
  schemaType: "boolean",
  errors: true,
  compile: (wanted: boolean) => {
    const check: SchemaValidateFunction & ((items: unknown[]) => boolean) = (items: unknown[]) => {
      const equal = wanted ? firstEqual(items) : null;
      if (equal)
        check.errors = [
          { keyword: "uniqueItems", params: { i: equal[1], j: equal[0] }, message: "must be distinct" },
        ];
      return equal === null;
    };
    return check;
  },
};

/** Returns the indexes of the first two equal items. */
function firstEqual(items: unknown[]): [number, number] | null {
  const seen = new Map<unknown, number>();
  const list = exactListOf(items);
  const isMixed = list !== items;
  for (const [index, item] of list.entries()) {
    const isCompared = typeof item === "object" ? item !== null : isMixed && typeof item === "number";
    const key = isCompared ? `\u0000${canonical(item)}` : item;
    const before = seen.get(key);
    if (before !== undefined) return [before, index];
    seen.set(key, index);
  }
  return null;
}

/** Returns equal JSON text for equal values, whatever the order of their properties. */
function canonical(value: unknown): string {
  if (isExactNumber(value)) return canonicalNumber(value.text);
  if (typeof value === "number") return canonicalNumber(String(value));
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const properties = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${properties.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}
