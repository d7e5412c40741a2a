import { basename, resolve } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { quoted } from "../protocol/suggest.ts";

/** One thing wrong in a challenge folder. */
export interface ConfigProblem {
  /** Relative to the challenge folder. */
  file: string;
  /** As `rounds[0].limit.count`; empty for the file as a whole. */
  field: string;
  expected: string;
  got?: string;
}

/** All mistakes of a challenge folder as one config_invalid: a line each, and as `details.mistakes`. */
export function configInvalid(dir: string, mistakes: readonly ConfigProblem[]): CrowdaiError {
  const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
  return new CrowdaiError(
    "config_invalid",
    [`${basename(resolve(dir))} has ${count}:`, ...mistakes.map(problemLine)].join("\n"),
    {
      details: { folder: dir, mistakes },
    },
  );
}

function problemLine({ file, field, expected, got }: ConfigProblem): string {
  const place = [file, field].filter(Boolean).join(": ");
  return `  ${place}: expected ${expected}${got === undefined ? "" : `, got ${got}`}`;
}

/** A file or folder that is there and cannot be read. */
export function unreadable(file: string, error: NodeJS.ErrnoException): ConfigProblem {
  return { file, field: "", expected: "a file that can be read", got: error.code ?? error.message };
}

/** A value of the file, as it may stand in a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** As `rounds[0].limit.count`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === "number") return `${name}[${step}]`;
    const word = String(step);
    if (!/^[\w$-]+$/.test(word)) return `${name}[${quoted(word)}]`;
    return name === "" ? word : `${name}.${word}`;
  }, "");
}
