import { basename, resolve } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { quoted } from "../protocol/suggest.ts";

/** A problem in a challenge folder. */
export interface ConfigProblem {
  /** Relative to the challenge folder. */
  file: string;
  /** For example `rounds[0].limit.count`; empty for the file as a whole. */
  field: string;
  expected: string;
  got?: string;
}

/**
 * Combines the problems of a challenge folder into one config_invalid: one line each, and as
 * `details.mistakes`.
 */
export function configInvalid(dir: string, problems: readonly ConfigProblem[]): CrowdaiError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new CrowdaiError(
    "config_invalid",
    [`${basename(resolve(dir))} has ${count}:`, ...problems.map(problemLine)].join("\n"),
    {
      details: { folder: dir, mistakes: problems },
    },
  );
}

function problemLine({ file, field, expected, got }: ConfigProblem): string {
  const place = [file, field].filter(Boolean).join(": ");
  return `  ${place}: expected ${expected}${got === undefined ? "" : `, got ${got}`}`;
}

/** Returns the problem of a file or folder that exists but cannot be read. */
export function unreadable(file: string, error: NodeJS.ErrnoException): ConfigProblem {
  return { file, field: "", expected: "a readable file", got: error.code ?? error.message };
}

/** Describes a value of the file, safe for a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Returns the name of a field, for example `rounds[0].limit.count`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === "number") return `${name}[${step}]`;
    const word = String(step);
    if (!/^[\w$-]+$/.test(word)) return `${name}[${quoted(word)}]`;
    return name === "" ? word : `${name}.${word}`;
  }, "");
}
