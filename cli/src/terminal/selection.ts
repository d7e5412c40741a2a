import { CrowdaiError, isExactNumber, stringifyExact } from "@crowdai/shared";
import { parsePath, type Step, valuesAt } from "./json-path.ts";

/** The part of a JSON document that --fields and --filter ask for. */
export interface Selection {
  /** Throws usage if a field is not one of these: before a command changes anything. */
  requireFields(known: readonly string[]): void;
  /** Returns the selected value of each line to print. Throws usage for an unknown field. */
  select(document: object): unknown[];
  /** Whether a string is printed as it is, and nothing is printed for a failure. */
  readonly isFilter: boolean;
}

type Fields = Record<string, unknown>;

/** Throws usage for a path that cannot be read. */
export function createSelection({ fields, filter }: { fields?: string; filter?: string }): Selection | null {
  if (fields === undefined && filter === undefined) return null;
  const names = fields?.split(",").map((name) => name.trim());
  if (names?.some((name) => name === "")) throw new CrowdaiError("usage", "--fields has an empty name.");
  const path = filter === undefined ? null : parsePath(filter);
  return {
    isFilter: path !== null,
    requireFields(known) {
      for (const name of names ?? []) requireOne(name.split(".")[0]!, known);
      const first = path?.[0];
      if (!names && first?.kind === "key") requireOne(first.name, [...known, "schema_version"]);
    },
    select(document) {
      const chosen = names ? pick(document, names) : document;
      if (path === null) return [chosen];
      if (!names) requireFirst(path, document);
      return valuesAt(chosen, path);
    },
  };
}

/** Returns a selected value as --filter prints it: a string without quotes, anything else as JSON. */
export function filteredText(value: unknown): string {
  return typeof value === "string" ? value : stringifyExact(value);
}

/** Returns the fields of each record, or of the only one. A failure keeps its error. */
function pick(document: object, names: readonly string[]): unknown {
  const found = recordsOf(document);
  if (Array.isArray(found)) return found.map((record) => fieldsOf(record, names, found));
  const { error, exit_code } = found;
  return { ...fieldsOf(found, names, [found]), ...(error === undefined ? {} : { error, exit_code }) };
}

/** Returns the items of a list, the rows of a leaderboard, or the object that the document is about. */
function recordsOf(document: object): Fields | Fields[] {
  let { schema_version: _, next_steps: __, ...found } = document as Fields;
  for (let values = Object.values(found); values.length === 1; values = Object.values(found)) {
    if (Array.isArray(values[0])) return values[0].filter(isObject);
    if (!isObject(values[0])) break;
    found = values[0];
  }
  return Array.isArray(found.rows) ? found.rows.filter(isObject) : found;
}

function fieldsOf(record: Fields, names: readonly string[], all: readonly Fields[]): Fields {
  return Object.fromEntries(
    names.map((name) => {
      const [first, ...rest] = name.split(".") as [string, ...string[]];
      const own = withSubmission(record);
      if (!Object.hasOwn(own, first))
        requireOne(first, [...new Set(all.flatMap((o) => Object.keys(withSubmission(o))))]);
      const at = rest.map((key): Step => ({ kind: "key", name: key }));
      return [name, valuesAt(own[first] ?? null, at)[0]];
    }),
  );
}

/** The document of a submission repeats only its most important fields at the top. */
function withSubmission(record: Fields): Fields {
  return isObject(record.submission) ? { ...record.submission, ...record } : record;
}

function requireFirst([first]: readonly Step[], document: object): void {
  if (first?.kind === "key" && !Object.hasOwn(document, first.name))
    requireOne(first.name, Object.keys(document));
}

function requireOne(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw new CrowdaiError("usage", `There is no field "${name}".`, {
    next: `Fields: ${[...known].sort().join(", ")}. Put arguments of the command before --json.`,
    details: { fields: [...known].sort() },
  });
}

function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !isExactNumber(value);
}
