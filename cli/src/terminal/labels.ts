import { textWidth, wrapWords } from "./cut-to-width.ts";
import type { Style } from "./style.ts";

/** A label and its value; a row without a value is left out. */
export type LabeledRow = readonly [label: string, value: string | null | undefined];

/** A value beside its label needs this much; on a narrower terminal it goes below. */
const MIN_VALUE = 16;

/**
 * Returns lines such as `Rank:    3`, with all values in one column and further lines of a value below it.
 * With a `width`, values are wrapped between words.
 */
export function labeledLines(
  rows: readonly LabeledRow[],
  style: Style,
  width: number | null = null,
): string[] {
  const filled = rows.filter((row): row is [string, string] => !!row[1]);
  const widest = Math.max(0, ...filled.map(([label]) => textWidth(label))) + 3;
  const isNarrow = width !== null && width - widest < MIN_VALUE;
  const indent = isNarrow ? 2 : widest;
  return filled.flatMap(([label, value]) => {
    const title = style.dim(`${label}:`);
    const lines = width === null ? value.split("\n") : wrapWords(value, width - indent);
    const isTooWide = width !== null && lines.some((line) => textWidth(line) > width - indent);
    const below = lines.map((line) => " ".repeat(indent) + line);
    // An address or a digest starts at the margin, where it is broken least.
    if (isTooWide) return [title, ...wrapWords(value, width)];
    if (!isNarrow) return [title + " ".repeat(widest - textWidth(label) - 1) + lines[0], ...below.slice(1)];
    const first = `${label}: ${lines[0]}`;
    return lines.length === 1 && textWidth(first) <= width ? [`${title} ${lines[0]}`] : [title, ...below];
  });
}
