import { jsonSchemaErrors } from "../protocol/check-value.ts";
import { quoted } from "../protocol/suggest.ts";
import { type ConfigProblem, shown } from "./config-problems.ts";
import { sortByStart } from "./rounds.ts";

const FILE = "challenge.json";

type Raw = Record<string, unknown>;

/**
 * What a schema of types cannot say of challenge.json. Looks at the file as it was written, and passes over what has the wrong
 * type, so that these mistakes are told together with those of shape.
 */
export function contentProblems(raw: unknown): ConfigProblem[] {
  const config = object(raw);
  return [
    ...roundProblems(list(config.rounds).map(object)),
    ...acceptsProblems(config.accepts),
    ...functionProblems(object(config.evaluator).functions),
  ].map((mistake) => ({ file: FILE, ...mistake }));
}

type Found = Omit<ConfigProblem, "file">;

function roundProblems(rounds: Raw[]): Found[] {
  const mistakes: Found[] = [];
  const seen = new Map<string, number>();
  for (const [index, { id, starts_at, ends_at }] of rounds.entries()) {
    const at = `rounds[${index}]`;
    if (typeof id === "string" || typeof id === "number") {
      const before = seen.get(String(id));
      if (before === undefined) seen.set(String(id), index);
      else
        mistakes.push({
          field: `${at}.id`,
          expected: "an id of its own",
          got: `${shown(id)}, which rounds[${before}] has`,
        });
    }
    if (timeOf(ends_at) <= timeOf(starts_at))
      mistakes.push({
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
    mistakes.push({
      field: `rounds[${first.index}].minimum_score`,
      expected: "none on the first round, which has no round before it",
      got: shown(first.round.minimum_score),
    });
  return mistakes;
}

function acceptsProblems(accepts: unknown): Found[] {
  if (accepts === undefined || !isObject(accepts)) return [];
  const { file, json } = accepts;
  if (file === undefined && json === undefined)
    return [{ field: "accepts", expected: '"file" or "json", or both', got: "neither" }];
  const schema = object(json).schema;
  if (!isObject(schema)) return [];
  return jsonSchemaErrors(schema).map(({ pointer, message }) => {
    const field = `accepts.json.schema${pointer.replaceAll(/\/(\d+)(?=\/|$)/g, "[$1]").replaceAll("/", ".")}`;
    const [, expected, got] = /^expected (.*), got (.*)$/s.exec(message) ?? [];
    return expected === undefined
      ? { field, expected: `a JSON Schema: ${message}` }
      : { field, expected, got };
  });
}

function functionProblems(functions: unknown): Found[] {
  const names = list(functions).filter((name) => typeof name === "string");
  if (names.length === 0) return [];
  const field = "evaluator.functions";
  const mistakes: Found[] = [];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    mistakes.push({ field, expected: "each name once", got: `${quoted(twice)} twice` });
  if (!names.includes("submit"))
    mistakes.push({ field, expected: '"submit" among the names', got: names.map(quoted).join(", ") });
  for (const name of names.filter((one) => one.length > 100))
    mistakes.push({ field, expected: "names of at most 100 characters", got: quoted(name) });
  return mistakes;
}

const isObject = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Raw => (isObject(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
/** NaN, which compares as false with everything, for what is no time. */
const timeOf = (value: unknown): number => (typeof value === "string" ? Date.parse(value) : Number.NaN);
