/** `json` values are JSON texts, `time` values ISO 8601 texts. */
export type ColumnType = "text" | "number" | "integer" | "boolean" | "json" | "time";

export type Value = string | number | boolean | null;

/** A row of a table, by the names of its columns. */
export type TableRow = Readonly<Record<string, Value>>;

/** A table of an export: its rows come in pages, so that only some are in memory. */
export interface Table {
  name: string;
  columns: Readonly<Record<string, ColumnType>>;
  pages: AsyncIterable<readonly TableRow[]>;
}

export const FORMATS = ["csv", "ndjson", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

/** Writes a table to a file and returns the number of its rows. */
export type WriteTable = (path: string, table: Table) => Promise<number>;
