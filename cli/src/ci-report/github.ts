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

/** Returns the annotation of an error, at the line of the file that it names. */
export function errorAnnotation(error: ErrorBody, place: AnnotationPlace): string {
  const { file: named, column, problems, ...at } = (error.details ?? {}) as Record<string, unknown>;
  // A check names many places; the first is annotated.
  const line = at.line ?? (Array.isArray(problems) ? problems[0]?.line : undefined);
  // Evaluators name lines only in their messages.
  const said = error.code === "rejected" ? Number(/\bline (\d{1,9})\b/i.exec(error.message)?.[1]) : null;
  const number = wholeNumber(line) ?? wholeNumber(said);
  const about = typeof named === "string" ? named : number !== null ? place.file : null;
  const file = pathInWorkspace(about, place);
  const spot = file === null ? {} : { file, line: number, col: wholeNumber(column) };
  const message = [error.message, error.next].filter(Boolean).join("\n");
  return workflowCommand("error", cut(plainText(message), MAX_ANNOTATION), {
    title: `crowdAI: ${cut(plainText(error.code), 100)}`,
    ...spot,
  });
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
