import { cutToWidth, textWidth } from "./cut-to-width.ts";
import { labeledLines } from "./labels.ts";
import { plainLine } from "./plain-text.ts";
import type { Style } from "./style.ts";

export type Cell = string | number | null;

/** The columns that may be cut, the first of them first. Ids, scores, ranks and times would be useless. */
const CUT = ["Message", "Title", "SHA-256", "Participant"];
const MIN_CUT = 8;

interface Layout {
  style: Style;
  unicode: boolean;
  /** The columns that may be cut. */
  cut?: readonly string[];
}

/**
 * Returns the lines of a table for a terminal of `width`; null is a pipe: tab-separated, untruncated, no
 * header. A terminal that is too narrow for a table gets a block for each row.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width, style, unicode, cut = CUT }: Layout & { width: number | null },
): string[] {
  const texts = rows.map((row) => row.map((cell) => (cell === null ? "" : plainLine(String(cell)))));
  if (width === null) return texts.map((row) => row.join("\t"));

  const isEmpty = (i: number) => texts.every((row) => !row[i]);
  const full = header.map((title, i) =>
    Math.max(textWidth(title), ...texts.map((row) => textWidth(row[i] ?? ""))),
  );
  const isWide = full.reduce((sum, w) => sum + w, 2 * (header.length - 1)) > width;
  if (isWide && rows.length > 0 && header.some((_, i) => isEmpty(i))) {
    const filled = <T>(cells: readonly T[]) => cells.filter((_, i) => !isEmpty(i));
    return formatTable(filled(header), rows.map(filled), { width, style, unicode, cut });
  }
  // Columns move together before the table is given up.
  for (const gap of [2, 1]) {
    const widths = fitted(full, width - gap * (header.length - 1), cutOrder(header, cut));
    if (!widths && header.length > 1) continue;
    const isNumeric = header.map((_, i) => rows.some((row) => typeof row[i] === "number"));
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, i) => fit(cell, (widths ?? full)[i] ?? 0, isNumeric[i] === true, unicode))
        .join(" ".repeat(gap))
        .trimEnd();
    return [style.dim(line(header)), ...texts.map(line)];
  }
  return blocks(header, texts, { width, style, unicode, cut });
}

/**
 * Returns the widths of columns that fit into `room`, with those cut that may be; null if there is too
 * little.
 */
function fitted(full: readonly number[], room: number, cut: readonly number[]): number[] | null {
  const widths = [...full];
  const total = () => widths.reduce((sum, w) => sum + w, 0);
  for (const column of cut) {
    const own = widths[column]!;
    widths[column] = Math.min(own, Math.max(MIN_CUT, own - Math.max(0, total() - room)));
  }
  return total() > room ? null : widths;
}

/** Returns the columns that may be cut; those of a table without any are its only one. */
function cutOrder(header: readonly string[], cut: readonly string[]): number[] {
  if (header.length === 1) return [0];
  return cut.map((title) => header.indexOf(title)).filter((column) => column >= 0);
}

/** Returns each row as lines of its own, `Score:  0.9`, with an empty line between rows. */
function blocks(
  header: readonly string[],
  texts: readonly (readonly string[])[],
  { width, style, unicode, cut = CUT }: Layout & { width: number },
): string[] {
  const isCut = new Set(cutOrder(header, cut));
  const beside = width - Math.max(...header.map(textWidth)) - 3;
  const room = beside < 16 ? width - 2 : beside;
  return texts.flatMap((row, i) => [
    ...(i > 0 ? [""] : []),
    ...labeledLines(
      header.map((title, column) => {
        const text = row[column] ?? "";
        return [title, isCut.has(column) ? cutToWidth(text, room, unicode) : text];
      }),
      style,
      width,
    ),
  ]);
}

function fit(text: string, width: number, alignRight: boolean, unicode: boolean): string {
  const shown = cutToWidth(text, width, unicode);
  const padding = " ".repeat(Math.max(0, width - textWidth(shown)));
  return alignRight ? padding + shown : shown + padding;
}
