import type { z } from "zod";
import { quoted, suggest } from "../protocol/suggest.ts";
import { closestAlternative, describeSchema, schemaAt } from "./config-json-schema.ts";
import { type ConfigProblem, fieldName, shown } from "./config-problems.ts";
import { PORTED_KINDS } from "./ported-problems.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const FILE = "challenge.json";
/** Unions of objects, each with the fields that distinguish its alternatives, in the order of the schema. */
const KINDS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  evaluator: ["command", "python_class", "gym", "job_factory", ...PORTED_KINDS],
  "run.output": ["path", "lines"],
};

/** Describes zod's issues in challenge.json for an organizer. */
export function shapeProblems(issues: readonly Issue[], raw: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], raw));
}

function problemsOf(issue: Issue, above: Path, raw: unknown): ConfigProblem[] {
  const path = [...above, ...issue.path];
  const got = valueAt(raw, path);
  const here = { file: FILE, field: fieldName(path) };
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownField([...path, key], raw));
    case "invalid_union":
      return (
        unionProblems(issue, path, raw) ?? [
          { ...here, expected: describeSchema(schemaAt(path, raw)), got: shown(got) },
        ]
      );
    case "invalid_format":
    case "custom":
      // The schema has its own message for these.
      return [{ ...here, expected: issue.message, ...(isSecret(path) ? {} : { got: shown(got) }) }];
    default:
      return [{ ...here, expected: describeSchema(schemaAt(path, raw)), got: shown(got) }];
  }
}

/** A webhook's address often contains a secret, and problems are logged. */
const isSecret = ([field]: Path) => field === "webhooks";

function unknownField(path: Path, raw: unknown): ConfigProblem {
  const above = path.slice(0, -1);
  const parent = schemaAt(above, raw);
  const known = Object.keys((parent && closestAlternative(parent, valueAt(raw, above)).properties) ?? {});
  const near = suggest(String(path.at(-1)), known);
  const listed = known.filter((key) => key !== "$schema").join(", ");
  const expected = near === null ? `a known field (${listed})` : `a known field; did you mean "${near}"?`;
  return { file: FILE, field: fieldName(path), expected };
}

/** Returns the problems of the alternative that was meant; null when the value's type matches none. */
function unionProblems(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
  raw: unknown,
): ConfigProblem[] | null {
  const value = valueAt(raw, path);
  const field = fieldName(path);
  const kinds = KINDS[field];
  if (kinds && isObject(value)) return kindProblems(issue, kinds, path, raw);
  // An alternative of another type, or another constant, was not meant.
  const fits = issue.errors.find(
    (errors) => !errors.some((e) => e.path.length === 0 && /^invalid_(?:type|value)$/.test(e.code)),
  );
  return fits ? problemsIn(fits, path, raw) : null;
}

function kindProblems(
  { errors }: Extract<Issue, { code: "invalid_union" }>,
  kinds: readonly [string, ...string[]],
  path: Path,
  raw: unknown,
): ConfigProblem[] {
  const value = valueAt(raw, path) as object;
  const field = fieldName(path);
  const expected = `one of ${kinds.map(quoted).join(", ")}`;
  const given = kinds.filter((key) => key in value);
  if (given.length > 1) return [{ file: FILE, field, expected, got: given.map(quoted).join(" and ") }];
  const [kind] = given;
  if (kind) return problemsIn(errors[kinds.indexOf(kind)] ?? [], path, raw);
  const misspelt = Object.keys(value).find((key) => suggest(key, kinds));
  const meant = suggest(misspelt ?? "", kinds) ?? kinds[0];
  const others = problemsIn(errors[kinds.indexOf(meant)] ?? [], path, raw).filter(
    (problem) => ![`${field}.${meant}`, `${field}.${misspelt}`].includes(problem.field),
  );
  const got = misspelt === undefined ? "none" : `${quoted(misspelt)}; did you mean "${meant}"?`;
  return [{ file: FILE, field, expected, got }, ...others];
}

const problemsIn = (issues: readonly Issue[], path: Path, raw: unknown) =>
  issues.flatMap((issue) => problemsOf(issue, path, raw));

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step];
  return value;
}
