import { CrowdaiError, ExactNumber, toJsonText } from "@crowdai/shared";

const CHUNK = 64 * 1024;

/**
 * Yields the bytes of pieces in chunks: bytes and text as they are, arrays and objects as the rows of a file
 * of that name.
 */
export async function* bytesOfRows(pieces: AsyncIterable<unknown>, name: string): AsyncGenerator<Buffer> {
  const asCsv = name.toLowerCase().endsWith(".csv");
  let text = "";
  let header: string[] | null = null;
  let row = 0;
  for await (const piece of pieces) {
    if (typeof piece === "string") text += piece;
    else if (isBytes(piece)) {
      if (text !== "") yield Buffer.from(text);
      text = "";
      yield ArrayBuffer.isView(piece)
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
        : Buffer.from(piece);
      continue;
    } else {
      row += 1;
      if (isRow(piece)) text += csvLine(Array.from(piece), row);
      else if (asCsv && typeof piece === "object" && piece !== null) {
        if (!header) {
          header = Object.keys(piece);
          text += csvLine(header, 0);
        }
        text += csvLine(valuesOf(piece as Record<string, unknown>, header, row), row);
      } else text += `${toJsonText(piece, { safeIntegers: true })}\n`;
    }
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

function isBytes(piece: unknown): piece is Uint8Array | ArrayBuffer {
  return piece instanceof Uint8Array || piece instanceof ArrayBuffer;
}

function isRow(piece: unknown): piece is ArrayLike<unknown> {
  return Array.isArray(piece) || (ArrayBuffer.isView(piece) && !(piece instanceof DataView));
}

/**
 * Returns the values in the order of the header. Throws value_not_json for a key that the first row did not
 * have.
 */
function valuesOf(piece: Record<string, unknown>, header: readonly string[], row: number): unknown[] {
  const unknown = Object.keys(piece).find((key) => !header.includes(key));
  if (unknown !== undefined)
    throw new CrowdaiError(
      "value_not_json",
      `Row ${row} has the column "${unknown}", which row 1 does not have.`,
    );
  return header.map((key) => piece[key]);
}

/** A line of CSV as RFC 4180 writes it, but with \n, and with every digit of a number. */
function csvLine(cells: readonly unknown[], row: number): string {
  const line = cells.map((cell, column) => csvCell(cell, row, column)).join(",");
  return `${line === "" ? '""' : line}\n`;
}

function csvCell(cell: unknown, row: number, column: number): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number" && !Number.isFinite(cell))
    throw new CrowdaiError("value_not_finite", `Row ${row} contains ${cell} in column ${column + 1}.`);
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === "object" && !(cell instanceof ExactNumber))
    throw new CrowdaiError("value_not_json", `Row ${row} contains an object in column ${column + 1}.`);
  const text = String(cell);
  return /^\s|[",\r\n]|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
