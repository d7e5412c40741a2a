import { jsonSchemaErrors } from "../protocol/check-value.ts";
import { quoted } from "../protocol/suggest.ts";
import { checkProblems } from "./check-problems.ts";
import { type ConfigProblem, shown } from "./config-problems.ts";
import { environmentProblems, missingEnvironment } from "./environment-problems.ts";
import { portedProblems } from "./ported-problems.ts";
import { sortByStart } from "./rounds.ts";

const FILE = "challenge.json";

type Raw = Record<string, unknown>;

/**
 * Finds the problems in challenge.json that a schema of types cannot express. Reads the unparsed content and
 * skips fields of the wrong type, so that these problems are reported together with those of the schema.
 */
export function contentProblems(raw: unknown): ConfigProblem[] {
  const config = object(raw);
  return [
    ...roundProblems(list(config.rounds).map(object)),
    ...inputProblems(config),
    ...checkProblems(config),
    ...columnProblems(list(config.columns).map(object)),
    ...portedProblems(config),
    ...functionProblems(object(config.evaluator).functions),
  ].map((problem) => ({ file: FILE, ...problem }));
}

function inputProblems(config: Raw): Found[] {
  if (isObject(config.environment)) return environmentProblems(config);
  const missing = missingEnvironment(config);
  if (missing.length > 0) return missing;
  return isObject(config.run) ? runProblems(config) : acceptsProblems(config.accepts);
}

type Found = Omit<ConfigProblem, "file">;

function roundProblems(rounds: Raw[]): Found[] {
  const problems: Found[] = [];
  const seen = new Map<string, number>();
  for (const [index, { id, starts_at, ends_at }] of rounds.entries()) {
    const at = `rounds[${index}]`;
    if (typeof id === "string" || typeof id === "number") {
      const before = seen.get(String(id));
      if (before === undefined) seen.set(String(id), index);
      else
        problems.push({
          field: `${at}.id`,
          expected: "a unique id",
          got: `${shown(id)}, which rounds[${before}] also has`,
        });
    }
    if (timeOf(ends_at) <= timeOf(starts_at))
      problems.push({
        field: `${at}.ends_at`,
        expected: `a time after starts_at (${starts_at})`,
        got: shown(ends_at),
      });
  }
  const dated = rounds.map((round, index) => ({ round, index, starts_at: text(round.starts_at) }));
  const first = sortByStart(
    dated.map((one) => ({ ...one, starts_at: Number.isNaN(timeOf(one.starts_at)) ? null : one.starts_at })),
  )[0];
  if (first && typeof first.round.minimum_score === "number")
    problems.push({
      field: `rounds[${first.index}].minimum_score`,
      expected: "no value in the first round, which has no previous round",
      got: shown(first.round.minimum_score),
    });
  return problems;
}

function columnProblems(columns: Raw[]): Found[] {
  const keys = columns.map(({ key }) => key);
  return keys.flatMap((key, index) =>
    typeof key === "string" && keys.indexOf(key) < index
      ? [{ field: `columns[${index}].key`, expected: "a unique key", got: shown(key) }]
      : [],
  );
}

function acceptsProblems(accepts: unknown): Found[] {
  if (accepts === undefined || !isObject(accepts)) return [];
  const { file, json, code } = accepts;
  if (file === undefined && json === undefined) {
    const run = code === undefined ? "" : ', or "run", which runs the submitted code';
    return [{ field: "accepts", expected: `"file" or "json", or both${run}`, got: "neither" }];
  }
  const schema = object(json).schema;
  if (!isObject(schema)) return [];
  return jsonSchemaErrors(schema).map(({ pointer, message }) => {
    const field = `accepts.json.schema${pointer.replaceAll(/\/(\d+)(?=\/|$)/g, "[$1]").replaceAll("/", ".")}`;
    const [, expected, got] = /^expected (.*), got (.*)$/s.exec(message) ?? [];
    return expected === undefined
      ? { field, expected: `a valid JSON Schema: ${message}` }
      : { field, expected, got };
  });
}

/** Finds fields that contradict `run`, which makes code the submission. */
function runProblems({ run, accepts, code, evaluator }: Raw): Found[] {
  const problems: Found[] = [];
  for (const kind of ["file", "json"])
    if (object(accepts)[kind] !== undefined)
      problems.push({
        field: `accepts.${kind}`,
        expected: "no such field, because a challenge with run takes code alone",
      });
  const { capture } = object(code);
  if (typeof capture === "string" && capture !== "required")
    problems.push({ field: "code.capture", expected: '"required", which run implies', got: quoted(capture) });
  const { job_factory, functions } = object(evaluator);
  if (job_factory !== undefined)
    problems.push({
      field: "run",
      expected: "an evaluator that graders start, which gets the output",
      got: "a job factory",
    });
  const other = list(functions).find((name) => typeof name === "string" && name !== "submit");
  if (other !== undefined)
    problems.push({
      field: "evaluator.functions",
      expected: '"submit" alone, because a challenge with run takes code alone',
      got: quoted(other as string),
    });
  const { path } = object(object(run).output);
  if (typeof path === "string" && path !== "" && !isPlainPath(path))
    problems.push({ field: "run.output.path", expected: "a path below /out", got: quoted(path) });
  return problems;
}

/** Whether a path is relative, and names no folder above. */
const isPlainPath = (path: string): boolean =>
  !/[\\\p{Cc}]/u.test(path) && path.split("/").every((part) => !["", ".", ".."].includes(part));

function functionProblems(functions: unknown): Found[] {
  const names = list(functions).filter((name) => typeof name === "string");
  if (names.length === 0) return [];
  const field = "evaluator.functions";
  const problems: Found[] = [];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    problems.push({ field, expected: "each name once", got: `${quoted(twice)} twice` });
  if (!names.includes("submit"))
    problems.push({ field, expected: '"submit" among the names', got: names.map(quoted).join(", ") });
  for (const name of names.filter((one) => one.length > 100))
    problems.push({ field, expected: "names of at most 100 characters", got: quoted(name) });
  return problems;
}

const isObject = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Raw => (isObject(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
/** Returns NaN, for which every comparison is false, when the value is not a time. */
const timeOf = (value: unknown): number => (typeof value === "string" ? Date.parse(value) : Number.NaN);
