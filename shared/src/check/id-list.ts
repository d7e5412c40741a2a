import { CrowdaiError } from "../protocol/errors.ts";
import type { CsvShape } from "./check-config.ts";
import { createCsvReader } from "./csv-reader.ts";
import { shownValue } from "./format-problem.ts";
import { type Bytes, readCsv } from "./read-csv.ts";

/** The ids that a submission must have, in their order. */
export type IdList = readonly string[];

/** More ids than this are not held in memory. */
export const MAX_IDS = 5_000_000;
const MAX_NAMED = 10;

/**
 * Reads the ids from a public CSV file. Throws config_invalid when it is unreadable, or has no such column.
 */
export async function readIds(
  bytes: Bytes,
  { delimiter, ids }: Pick<CsvShape, "delimiter" | "ids">,
): Promise<IdList> {
  const file = ids!.file!;
  const name = ids!.file_column ?? ids!.column;
  const wrong = (message: string) => new CrowdaiError("config_invalid", `${file}: ${message}`);
  const list: string[] = [];
  const seen = new Set<string>();
  let at: number | null = null;
  const reader = createCsvReader({ delimiter }, ({ fields, row }) => {
    if (at === null) {
      at = fields.findIndex((field) => field.trim() === name);
      if (at < 0) throw wrong(`expected a column ${shownValue(name)}`);
      return;
    }
    const id = fields[at];
    if (id === undefined || id === "")
      throw wrong(`row ${row} has no value in the column ${shownValue(name)}`);
    if (seen.has(id)) throw wrong(`row ${row}: the id ${shownValue(id)} occurs twice`);
    if (list.length === MAX_IDS) throw wrong(`expected at most ${MAX_IDS} ids`);
    seen.add(id);
    list.push(id);
  });
  const unreadable = await readCsv(bytes, reader);
  if (unreadable) throw wrong(unreadable.text);
  if (list.length === 0) throw wrong("expected ids, got none");
  return list;
}

/** The ids of a list that a submission has used so far. */
export interface IdUse {
  /** Returns what is wrong with an id: that it is unknown, or was used before. */
  take(id: string, row: number): string | null;
  missing(): { total: number; first: string[] };
}

/** Begins to follow which ids of a list occur. Ids are the same if `plain` returns the same for them. */
export function useIds(ids: IdList, plain: (id: string) => string): IdUse {
  const rows = new Map<string, number>();
  for (const id of ids) rows.set(plain(id), 0);
  let used = 0;
  return {
    take(value, row) {
      const id = plain(value);
      const before = rows.get(id);
      if (before === undefined) return `${shownValue(id)} is not an id of the challenge`;
      if (before > 0) return `${shownValue(id)} occurs twice; row ${before} has it already`;
      rows.set(id, row);
      used++;
      return null;
    },
    missing() {
      const first: string[] = [];
      const total = rows.size - used;
      if (total === 0) return { total, first };
      for (const [id, row] of rows) {
        if (row === 0) first.push(id);
        if (first.length === MAX_NAMED) break;
      }
      return { total, first };
    },
  };
}
