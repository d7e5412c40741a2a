import type { FuncKeywordDefinition, SchemaValidateFunction } from "ajv";

/**
 * The keyword `uniqueItems` in one pass: comparing every pair, as validators do, takes seconds for a list of 100,000
 * and so lets a participant stop the broker.
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

/** Indexes of the first two items that are equal JSON values. */
function firstEqual(items: unknown[]): [number, number] | null {
  const seen = new Map<unknown, number>();
  for (const [index, item] of items.entries()) {
    const key = typeof item === "object" && item !== null ? `\u0000${canonical(item)}` : item;
    const before = seen.get(key);
    if (before !== undefined) return [before, index];
    seen.set(key, index);
  }
  return null;
}

/** JSON text that is the same for equal values: the order of properties does not count. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const properties = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${properties.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}
