import stringWidth from "string-width";
import { plainLine } from "./plain-text.ts";
import type { Style } from "./style.ts";

export type Cell = string | number | null;

/** Returns the lines of a table for a terminal of `width`; null is a pipe: tab-separated, untruncated, no header. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width, style, unicode }: { width: number | null; style: Style; unicode: boolean },
): string[] {
  const texts = rows.map((row) => row.map((cell) => (cell === null ? "" : plainLine(String(cell)))));
  if (width === null) return texts.map((row) => row.join("\t"));

  const isNumeric = header.map((_, i) => rows.some((row) => typeof row[i] === "number"));
  const widths = header.map((title, i) =>
    Math.max(stringWidth(title), ...texts.map((row) => stringWidth(row[i] ?? ""))),
  );
  const gaps = 2 * (header.length - 1);
  const total = () => widths.reduce((sum, w) => sum + w, gaps);
  // The widest text column is shortened first; truncated ids and numbers would be useless.
  while (total() > width) {
    const widest = widths.reduce((best, w, i) => (!isNumeric[i] && w > (widths[best] ?? 0) ? i : best), 0);
    if ((widths[widest] ?? 0) <= 16) break;
    widths[widest] = Math.max(16, (widths[widest] ?? 0) - (total() - width));
  }
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => fit(cell, widths[i] ?? 0, isNumeric[i] === true, unicode))
      .join("  ")
      .trimEnd();
  return [style.dim(line(header)), ...texts.map(line)];
}

function fit(text: string, width: number, alignRight: boolean, unicode: boolean): string {
  const shown = stringWidth(text) > width ? cut(text, width, unicode ? "…" : "...") : text;
  const padding = " ".repeat(Math.max(0, width - stringWidth(shown)));
  return alignRight ? padding + shown : shown + padding;
}

function cut(text: string, width: number, end: string): string {
  let shown = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(shown + segment + end) > width) break;
    shown += segment;
  }
  return shown + end;
}
