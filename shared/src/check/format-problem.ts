import { CrowdaiError } from "../protocol/errors.ts";
import { quoted } from "../protocol/suggest.ts";

/** A place where an input breaks the rules of a check. Fields that do not apply are null. */
export interface FormatProblem {
  /** The problem in one line: `row 17, column "label": expected a number, got "cat"`. */
  text: string;
  /** Number of the row in the file, where the header is row 1. */
  row: number | null;
  /**
   * The row's first line in the file. It is larger than the row when a quoted value contains a line break.
   */
  line: number | null;
  column: string | null;
  /** The value found, shortened. */
  value: string | null;
  /** Of a JSON value, the place: `$.predictions[3]`. */
  path: string | null;
}

/** The first problems of an input, and how many there are. */
export interface FormatProblems {
  problems: FormatProblem[];
  total: number;
}

/** How many problems are reported; of the others only the number. */
export const MAX_PROBLEMS = 20;
const MAX_VALUE = 60;

/** Collects the first problems, and counts all. */
export function collectProblems() {
  const found: FormatProblems = { problems: [], total: 0 };
  return {
    found,
    add(problem: () => FormatProblem) {
      found.total++;
      if (found.problems.length < MAX_PROBLEMS) found.problems.push(problem());
    },
  };
}

const NOWHERE = { row: null, line: null, column: null, value: null, path: null };

/** Creates a problem at a place of a CSV file. */
export function problemAt(
  place: { row: number; line: number; column?: string | undefined; value?: string },
  message: string,
): FormatProblem {
  const { row, line, column, value } = place;
  const where = [
    `row ${row}${line === row ? "" : ` (line ${line})`}`,
    ...(column === undefined ? [] : [`column ${shownValue(column)}`]),
  ];
  const short = value === undefined ? null : value.slice(0, MAX_VALUE);
  return {
    ...{ ...NOWHERE, row, line, column: column ?? null, value: short },
    text: `${where.join(", ")}: ${message}`,
  };
}

/** Creates a problem of the input as a whole. */
export function problemOf(text: string, fields: Partial<FormatProblem> = {}): FormatProblem {
  return { ...NOWHERE, ...fields, text };
}

/** Quotes a value of the input in backticks: shortened, with control characters escaped. */
export function shownValue(text: string): string {
  return text === "" ? "nothing" : `\`${quoted(text.slice(0, 2 * MAX_VALUE)).slice(1, -1)}\``;
}

/** Lists problems, one a line, and how many more there are. */
export function problemLines({ problems, total }: FormatProblems): string[] {
  const more = total - problems.length;
  return [...problems.map(({ text }) => text), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** The sentence above the problems, and the problems, as every part of crowdAI words them. */
export function problemsText(what: string, challenge: string, found: FormatProblems): string {
  const count = found.total === 1 ? "1 problem" : `${found.total} problems`;
  const lines = problemLines(found).map((line) => `  ${line.replaceAll("\n", "\n  ")}`);
  return [`${what} does not pass the check of ${challenge}: ${count}.`, ...lines].join("\n");
}

/** The error of an input that breaks the rules of a check, with the problems in its details. */
export function checkFailed(
  what: string,
  challenge: string,
  found: FormatProblems,
  details: Record<string, unknown> = {},
): CrowdaiError {
  return new CrowdaiError("check_failed", problemsText(what, challenge, found), {
    details: { ...details, ...found },
  });
}
