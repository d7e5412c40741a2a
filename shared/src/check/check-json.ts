import { schemaErrors } from "../protocol/check-value.ts";
import { CrowdaiError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json-value.ts";
import { type FormatProblems, MAX_PROBLEMS, problemOf } from "./format-problem.ts";

/** Checks a JSON value against a JSON Schema. */
export function checkJson(value: unknown, schema: unknown): FormatProblems {
  const found = schemaErrors(value, schema);
  const problems = found
    .slice(0, MAX_PROBLEMS)
    .map(({ path, rule, message }) => problemOf(`${path}: ${message} (rule "${rule}")`, { path }));
  return { problems, total: found.length };
}

/** Checks the bytes of a JSON file: that they are JSON, and match the schema. */
export function checkJsonBytes(bytes: Uint8Array, schema: unknown): FormatProblems {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return checkJson(parseJson(text, "The file"), schema);
  } catch (error) {
    if (error instanceof TypeError) return only("expected JSON, got bytes that are not UTF-8");
    if (!(error instanceof CrowdaiError) || !error.code.startsWith("value_")) throw error;
    const { line } = error.details ?? {};
    return only(error.message, typeof line === "number" ? line : null);
  }
}

const only = (text: string, line: number | null = null): FormatProblems => ({
  problems: [problemOf(text, { line })],
  total: 1,
});
