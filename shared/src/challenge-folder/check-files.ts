import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CheckConfig, checkConfigSchema } from "../check/check-config.ts";
import { checkFile, idsOf } from "../check/check-file.ts";
import { problemLines } from "../check/format-problem.ts";
import { jsonSchemaErrors } from "../protocol/check-value.ts";
import { asCrowdaiError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json-value.ts";
import { roundNumbers } from "../protocol/rounded-numbers.ts";
import { quoted } from "../protocol/suggest.ts";
import { type ConfigProblem, shown } from "./config-problems.ts";
import { overlap, plainPath, unfitPath } from "./folder-paths.ts";

const FILE = "challenge.json";
/** Every client receives the schema when it opens a session. */
const MAX_SCHEMA_FILE = 256 * 1024;

/** The check of a challenge, with its schema read from the file that it names. */
export type LoadedCheck = Omit<CheckConfig, "schema"> & { schema: Record<string, unknown> | null };

/**
 * Reads the public files that `check` names, and tries it on its sample. Finds files that are missing or not
 * public, and a sample that does not pass. Skips a `check` of the wrong form.
 */
export async function loadCheck(
  dir: string,
  given: unknown,
): Promise<{ check: LoadedCheck | null; problems: ConfigProblem[] }> {
  const { data } = checkConfigSchema.safeParse(given);
  if (!data) return { check: null, problems: [] };
  const problems: ConfigProblem[] = [];
  const refuse = (field: string, expected: string, got?: string) =>
    problems.push({ file: FILE, field, expected, ...(got === undefined ? {} : { got }) });

  for (const [field, path] of Object.entries({
    "check.schema": typeof data.schema === "string" ? data.schema : null,
    "check.csv.ids.file": data.csv?.ids?.file ?? null,
    "check.sample": data.sample,
  }))
    if (path !== null) problems.push(...(await notPublic(dir, field, path)));
  if (problems.length > 0) return { check: null, problems };

  const check: LoadedCheck = { ...data, schema: null };
  if (typeof data.schema === "string") {
    const read = await readSchema(dir, data.schema);
    if ("expected" in read) refuse("check.schema", read.expected, read.got);
    else check.schema = read.schema;
  } else check.schema = data.schema;
  const open = (file: string) => createReadStream(join(dir, file));
  const ids = await idsOf(check.csv, open).catch((error) => {
    refuse("check.csv.ids.file", "a CSV file of ids", asCrowdaiError(error).message);
    return null;
  });
  if (data.sample === null || problems.length > 0) return { check, problems };
  const checked = await checkFile(join(dir, data.sample), check, async () => ids);
  if (checked && "found" in checked && checked.found.total > 0)
    for (const line of problemLines(checked.found).slice(0, MAX_SHOWN))
      problems.push({ file: data.sample, field: "", expected: "a file that passes the check", got: line });
  return { check, problems };
}
const MAX_SHOWN = 5;

async function notPublic(dir: string, field: string, path: string): Promise<ConfigProblem[]> {
  const problem = overlap(plainPath(path), "public")
    ? await unfitPath(dir, path, "file")
    : { expected: "a file in public/, which everyone can download", got: quoted(path) };
  return problem ? [{ file: FILE, field, ...problem }] : [];
}

async function readSchema(
  dir: string,
  path: string,
): Promise<{ schema: Record<string, unknown> } | { expected: string; got: string }> {
  const { size } = await stat(join(dir, path));
  if (size > MAX_SCHEMA_FILE)
    return { expected: `a file of at most ${MAX_SCHEMA_FILE} bytes`, got: String(size) };
  try {
    const schema = roundNumbers(parseJson(await readFile(join(dir, path), "utf8"), path));
    if (typeof schema !== "object" || schema === null || Array.isArray(schema))
      return { expected: "a JSON Schema, which is an object", got: shown(schema) };
    const [error] = jsonSchemaErrors(schema);
    if (error) return { expected: "a valid JSON Schema", got: `${error.pointer} ${error.message}`.trim() };
    return { schema: schema as Record<string, unknown> };
  } catch (error) {
    return { expected: "a JSON Schema", got: asCrowdaiError(error).message };
  }
}
