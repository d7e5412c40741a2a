import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { CheckConfig } from "./check-config.ts";
import { checkCsv } from "./check-csv.ts";
import type { FormatProblems } from "./format-problem.ts";
import { type IdList, readIds } from "./id-list.ts";
import { untilAborted } from "./read-csv.ts";

/** The largest file that is checked against a JSON Schema: it is held in memory as a whole. */
const MAX_SCHEMA_BYTES = 32 * 1024 * 1024;

/** The rules that need no evaluator. */
export type FormatRules = Pick<CheckConfig, "schema" | "csv">;

/** The result of checking an input: its problems, or none; `skipped` says why nothing was checked. */
export type Checked = { by: "csv" | "schema"; found: FormatProblems } | { skipped: string } | null;

/**
 * Checks a file against the rules: as CSV, or else against the JSON Schema. Returns null when there is no
 * rule for files.
 */
export async function checkFile(
  path: string | Buffer,
  { csv, schema }: FormatRules,
  ids: () => Promise<IdList | null>,
  signal?: AbortSignal,
): Promise<Checked> {
  if (csv)
    return {
      by: "csv",
      found: await checkCsv(untilAborted(createReadStream(path), signal), csv, await ids()),
    };
  if (schema === null) return null;
  const { size } = await stat(path);
  if (size > MAX_SCHEMA_BYTES)
    return { skipped: `the file is larger than ${MAX_SCHEMA_BYTES / 1024 / 1024} MiB` };
  // The validator is large.
  const { checkJsonBytes } = await import("./check-json.ts");
  return { by: "schema", found: checkJsonBytes(await readFile(path, signal ? { signal } : {}), schema) };
}

/**
 * Returns the ids that a shape names: its list, or those of a file; `open` opens a file of the challenge
 * folder.
 */
export async function idsOf(
  csv: CheckConfig["csv"],
  open: (file: string) => AsyncIterable<Uint8Array>,
): Promise<IdList | null> {
  const { ids } = csv ?? {};
  if (!csv || !ids) return null;
  return ids.file === undefined ? (ids.values ?? null) : readIds(open(ids.file), csv);
}
