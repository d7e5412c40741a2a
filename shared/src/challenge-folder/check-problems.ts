import { jsonSchemaErrors } from "../protocol/check-value.ts";
import { shown } from "./config-problems.ts";

type Raw = Record<string, unknown>;
interface Found {
  field: string;
  expected: string;
  got?: string;
}

/** Finds problems of `check` that a schema of types cannot express. Skips fields of the wrong type. */
export function checkProblems({ check, run, environment, accepts, evaluator }: Raw): Found[] {
  if (!isObject(check)) return [];
  if (run != null || environment != null)
    return [
      {
        field: "check",
        expected: "no such field, because the challenge takes code or agents, not files or values",
      },
    ];
  const problems: Found[] = [];
  const { schema, csv, function: called } = check;
  if (schema == null && csv == null && called == null)
    problems.push({ field: "check", expected: '"schema", "csv" or "function"', got: "none of them" });
  if (csv != null && isObject(accepts) && !isObject(accepts.file))
    problems.push({ field: "check.csv", expected: "accepts.file, because only files are CSV", got: "none" });
  const file = isObject(accepts) ? accepts.file : null;
  if (isObject(file) && file.unpack === true && (csv != null || schema != null))
    problems.push({
      field: "check",
      expected: '"function" alone, because the file is an archive',
      got: csv == null ? '"schema"' : '"csv"',
    });
  if (isObject(evaluator) && evaluator.job_factory !== undefined && called != null)
    problems.push({
      field: "check.function",
      expected: "an evaluator that graders start",
      got: "a job factory",
    });
  if (called === "submit")
    problems.push({ field: "check.function", expected: "a function other than submit", got: '"submit"' });
  if (isObject(schema))
    for (const { pointer, message } of jsonSchemaErrors(schema))
      problems.push({
        field: `check.schema${pointer.replaceAll("/", ".")}`,
        expected: `a valid JSON Schema: ${message}`,
      });
  return [...problems, ...(isObject(csv) ? csvProblems(csv) : [])];
}

function csvProblems({ columns, ids, rows }: Raw): Found[] {
  const problems: Found[] = [];
  const names: unknown[] = [];
  for (const [index, column] of (Array.isArray(columns) ? columns : []).entries()) {
    const one: Raw = isObject(column) ? column : { name: column };
    if (names.includes(one.name))
      problems.push({
        field: `check.csv.columns[${index}].name`,
        expected: "a unique name",
        got: shown(one.name),
      });
    names.push(one.name);
    const isNumber = one.type === "number" || one.type === "integer";
    for (const bound of ["minimum", "maximum"])
      if (one[bound] !== undefined && !isNumber)
        problems.push({
          field: `check.csv.columns[${index}].${bound}`,
          expected: 'a column of type "number" or "integer"',
          got: shown(one.type ?? "text"),
        });
    problems.push(...inverted(one, `check.csv.columns[${index}]`));
  }
  if (isObject(rows)) problems.push(...inverted(rows, "check.csv.rows"));
  if (!isObject(ids)) return problems;
  if ((ids.file === undefined) === (ids.values === undefined))
    problems.push({
      field: "check.csv.ids",
      expected: '"file" or "values"',
      got: ids.file === undefined ? "neither" : "both",
    });
  if (Array.isArray(columns) && typeof ids.column === "string" && !names.includes(ids.column))
    problems.push({
      field: "check.csv.ids.column",
      expected: "one of check.csv.columns",
      got: shown(ids.column),
    });
  if (Array.isArray(ids.values) && new Set(ids.values.map(String)).size < ids.values.length)
    problems.push({ field: "check.csv.ids.values", expected: "distinct ids", got: "a repeated id" });
  return problems;
}

function inverted({ minimum, maximum }: Raw, field: string): Found[] {
  if (typeof minimum !== "number" || typeof maximum !== "number" || minimum <= maximum) return [];
  return [{ field: `${field}.maximum`, expected: `at least the minimum, ${minimum}`, got: String(maximum) }];
}

const isObject = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
