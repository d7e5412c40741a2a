import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import type { ColumnType, TableRow, Value, WriteTable } from "./table.ts";

/** Rows of a group, which are in memory at once: logs of graders may be long. */
const GROUP = 2000;

const TYPES = {
  text: "STRING",
  json: "STRING",
  number: "DOUBLE",
  integer: "INT64",
  boolean: "BOOLEAN",
  time: "TIMESTAMP",
} as const satisfies Record<ColumnType, string>;

/** Writes a Parquet file. Every column may have nulls; JSON is text. */
export const writeParquet: WriteTable = async (path, { columns, pages }) => {
  const types = Object.entries(columns);
  let written = 0;
  async function* rows() {
    for await (const page of pages)
      for (const row of page) {
        written++;
        yield converted(row);
      }
  }
  const converted = (row: TableRow) =>
    Object.fromEntries(types.map(([name, type]) => [name, parquetValue(type, row[name] ?? null)]));
  await parquetWriteRows({
    writer: fileWriter(path),
    rows: rows(),
    columns: types.map(([name, type]) => ({ name, type: TYPES[type], nullable: true })),
    rowGroupSize: GROUP,
  });
  return written;
};

function parquetValue(type: ColumnType, value: Value): unknown {
  if (value === null) return null;
  if (type === "integer") return BigInt(value);
  return type === "time" ? new Date(value as string) : value;
}
