import type { CsvColumn } from "./check-config.ts";
import { shownValue } from "./format-problem.ts";

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INTEGER = /^[+-]?[0-9]+$/;
const BOOLEANS: ReadonlySet<string> = new Set(["true", "false", "True", "False", "TRUE", "FALSE", "0", "1"]);
const MAX_LISTED = 10;

/**
 * Returns what is wrong with a value of a column, such as "expected a number, got `cat`"; null when nothing
 * is.
 */
export function valueProblem(value: string, column: CsvColumn): string | null {
  const plain = plainValue(value, column);
  if (plain === "") return column.empty ? null : `expected ${wanted(column)}, got nothing`;
  if (!hasType(plain, column.type)) return `expected ${wanted(column)}, got ${shownValue(value)}`;
  if (column.values && !allowed(column).has(plain))
    return `expected ${listed(column.values)}, got ${shownValue(value)}`;
  if (column.type !== "number" && column.type !== "integer") return null;
  const number = Number(plain);
  if (!Number.isFinite(number))
    return `expected a number that a double can represent, got ${shownValue(value)}`;
  if (column.minimum !== undefined && number < column.minimum)
    return `expected at least ${column.minimum}, got ${shownValue(value)}`;
  if (column.maximum !== undefined && number > column.maximum)
    return `expected at most ${column.maximum}, got ${shownValue(value)}`;
  return null;
}

/** Returns a value without the spaces that programs write after a delimiter; only in texts do they count. */
export const plainValue = (value: string, { type }: Pick<CsvColumn, "type">): string =>
  type === "text" ? value : value.trim();

function hasType(value: string, type: CsvColumn["type"]): boolean {
  if (type === "text") return true;
  if (type === "boolean") return BOOLEANS.has(value);
  return (type === "integer" ? INTEGER : NUMBER).test(value);
}

const TYPES = {
  text: "a value",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
} as const;

const wanted = ({ type, values }: CsvColumn): string => (values ? listed(values) : TYPES[type]);

function listed(values: readonly string[]): string {
  const first = values.slice(0, MAX_LISTED).map(shownValue).join(", ");
  const more = values.length > MAX_LISTED ? ", …" : "";
  return values.length === 1 ? first : `one of ${first}${more}`;
}

const sets = new WeakMap<CsvColumn, Set<string>>();

function allowed(column: CsvColumn): Set<string> {
  const known = sets.get(column) ?? new Set(column.values);
  sets.set(column, known);
  return known;
}
