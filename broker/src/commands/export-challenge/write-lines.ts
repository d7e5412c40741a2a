import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { csvLine } from "../../base/csv.ts";
import type { Table, TableRow, WriteTable } from "./table.ts";

/** Writes a header and a line for each row. */
export const writeCsv: WriteTable = (path, table) => {
  const names = Object.keys(table.columns);
  return writeLines(path, table, csvLine(names), (row) => csvLine(names.map((name) => row[name] ?? null)));
};

/** Writes a JSON object for each row. */
export const writeNdjson: WriteTable = (path, table) => {
  const columns = Object.entries(table.columns);
  return writeLines(path, table, "", (row) => {
    const fields = columns.map(([name, type]) => {
      const value = row[name] ?? null;
      // A JSON text stays as it is: parsing it could change its numbers.
      return `${JSON.stringify(name)}:${type === "json" && value !== null ? value : JSON.stringify(value)}`;
    });
    return `{${fields.join(",")}}\n`;
  });
};

async function writeLines(
  path: string,
  { pages }: Table,
  header: string,
  line: (row: TableRow) => string,
): Promise<number> {
  let rows = 0;
  async function* texts() {
    yield header;
    for await (const page of pages) {
      rows += page.length;
      yield page.map(line).join("");
    }
  }
  await pipeline(texts, createWriteStream(path, { flags: "wx", mode: 0o600 }));
  return rows;
}
