import stringWidth from "string-width";
import type { Style } from "./style.ts";

/** A label and its value; a row without a value is left out. */
export type LabeledRow = readonly [label: string, value: string | null | undefined];

/** Returns lines such as `Rank:    3`, with all values in one column and further lines of a value below it. */
export function labeledLines(rows: readonly LabeledRow[], style: Style): string[] {
  const filled = rows.filter((row): row is [string, string] => !!row[1]);
  const width = Math.max(0, ...filled.map(([label]) => stringWidth(label))) + 3;
  return filled.map(([label, value]) => {
    const padding = " ".repeat(width - stringWidth(label) - 1);
    return `${style.dim(`${label}:`)}${padding}${value.replaceAll("\n", `\n${" ".repeat(width)}`)}`;
  });
}
