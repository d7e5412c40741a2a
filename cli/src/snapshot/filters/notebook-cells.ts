interface Cell {
  /** Where the cell is in the file. */
  start: number;
  end: number;
  /** All texts of the cell: its source and its outputs. */
  text: string;
}

/** Returns the cells of a Jupyter notebook, in order; none if the text is not a notebook. */
export function readCells(text: string): Cell[] {
  const cells: Cell[] = [];
  try {
    for (const { start, end } of cellRanges(text))
      cells.push({ start, end, text: textsOf(JSON.parse(text.slice(start, end))) });
  } catch {
    return [];
  }
  return cells;
}

/** Finds the objects in the arrays named "cells", but not those within a cell. */
function* cellRanges(text: string): Generator<{ start: number; end: number }> {
  const open: { isCells: boolean; start: number }[] = [];
  const token = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[[\]{}]/gs;
  let key = "";
  let inCell = 0;
  for (const { 0: found, 1: name = "", 2: colon, index } of text.matchAll(token)) {
    if (found[0] === '"') {
      if (colon !== undefined) key = name;
    } else if (found === "{" || found === "[") {
      if (inCell > 0 || open.at(-1)?.isCells) inCell++;
      open.push({ isCells: found === "[" && key === "cells" && inCell === 0, start: index });
      key = "";
    } else {
      const closed = open.pop();
      if (inCell > 0 && --inCell === 0 && closed) yield { start: closed.start, end: index + 1 };
    }
  }
}

function textsOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value))
    return value.every((one) => typeof one === "string") ? value.join("") : value.map(textsOf).join("\n");
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(textsOf).join("\n");
}
