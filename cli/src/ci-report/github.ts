import { randomBytes } from "node:crypto";
import { isAbsolute, relative, resolve, sep } from "node:path";
import type { ErrorBody } from "@crowdai/shared";
import { plainText } from "../terminal/plain-text.ts";
import { workflowCommand } from "../terminal/workflow-command.ts";
import { cut } from "./markdown.ts";
import type { Result } from "./result.ts";

/** The limit of GitHub for all summaries of one step, above which none is shown. */
export const MAX_SUMMARY_BYTES = 1024 * 1024;
const MAX_ANNOTATION = 4_000;
/** GitHub shows no more errors of one step. */
const MAX_ANNOTATIONS = 10;

/** Returns the lines for $GITHUB_OUTPUT. No value can end its own part: the delimiter is random. */
export function outputLines(result: Result): string {
  const { exitCode, ...values } = result;
  const delimiter = `crowdai_${randomBytes(16).toString("hex")}`;
  return Object.entries({ ...values, "exit-code": exitCode })
    .map(([name, value]) => `${name}<<${delimiter}\n${value ?? ""}\n${delimiter}\n`)
    .join("");
}

export interface AnnotationPlace {
  /** The submitted file, relative to `cwd`. */
  file: string | null;
  cwd: string;
  /** Folder of the checkout; annotations name files relative to it. */
  workspace: string | undefined;
}

/**
 * Returns the annotations of an error, at the lines of the file that it names: one for each problem of a
 * check.
 */
export function errorAnnotations(error: ErrorBody, place: AnnotationPlace): string[] {
  const { file: named, line, column, problems } = (error.details ?? {}) as Record<string, unknown>;
  const annotation = (message: string, file: string | null, at: Record<string, number | null> = {}) =>
    workflowCommand("error", cut(plainText(message), MAX_ANNOTATION), {
      title: `crowdAI: ${cut(plainText(error.code), 100)}`,
      ...(file === null ? {} : { file, ...at }),
    });

  const input = pathInWorkspace(place.file, place);
  const placed = input === null || !Array.isArray(problems) ? [] : problems.flatMap(problemWithLine);
  if (placed.length > 0)
    return placed.slice(0, MAX_ANNOTATIONS).map(({ text, line }) => annotation(text, input, { line }));

  // Evaluators name lines only in their messages.
  const said = error.code === "rejected" ? Number(/\bline (\d{1,9})\b/i.exec(error.message)?.[1]) : null;
  const number = wholeNumber(line) ?? wholeNumber(said);
  const about = typeof named === "string" ? pathInWorkspace(named, place) : number === null ? null : input;
  const message = [error.message, error.next].filter(Boolean).join("\n");
  return [annotation(message, about, { line: number, col: wholeNumber(column) })];
}

function problemWithLine(problem: unknown): { text: string; line: number }[] {
  const { text, line } = (problem ?? {}) as Record<string, unknown>;
  const number = wholeNumber(line);
  return typeof text === "string" && number !== null ? [{ text, line: number }] : [];
}

function pathInWorkspace(file: string | null, { cwd, workspace }: AnnotationPlace): string | null {
  if (file === null || file === "-" || !workspace) return null;
  const path = relative(workspace, resolve(cwd, file));
  if (path === "" || path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) return null;
  return path.split(sep).join("/");
}

function wholeNumber(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : null;
}
