import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Submission } from "@crowdai/shared";
import type { End, Facts } from "../commands/submission/facts.ts";
import type { Io } from "../terminal/io.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { withoutCommands, workflowCommand } from "../terminal/workflow-command.ts";
import { appendLines } from "./append-file.ts";
import type { CiSystem } from "./detect-ci.ts";
import type { ReportFlags } from "./flags.ts";
import { errorAnnotations, MAX_SUMMARY_BYTES, outputLines } from "./github.ts";
import { DOTENV_FILE, dotenvLines } from "./gitlab.ts";
import { junitReport } from "./junit.ts";
import { metricsReport } from "./metrics.ts";
import { reportText } from "./report-text.ts";
import { type Result, resultOf } from "./result.ts";

export interface Reporting {
  io: Pick<Io, "env" | "cwd" | "stderr" | "signal">;
  system: CiSystem | null;
  /** Name of the command. */
  command: string;
  flags: ReportFlags;
  /** How long the API of the CI system may be silent. */
  idleMs?: number;
}

/**
 * Writes all reports of a command that has ended. A report that cannot be written is a warning, never a
 * failure.
 */
export async function writeReports(reporting: Reporting, known: Facts, end: End): Promise<void> {
  const { io, system, command, flags } = reporting;
  const facts = { ...known, submission: submissionOf(end) ?? known.submission };
  const result = resultOf(facts, end);
  const warn = (text: string) => io.stderr.write(`${warning(text, system)}\n`);
  const attempt = async (what: string, work: Promise<unknown>) => {
    await work.catch((failure: Error) => warn(`${what} was not written: ${failure.message}`));
  };

  if (system === "github") await reportToGithub(io, { facts, result, end, warn, attempt });
  if (system === "gitlab")
    await attempt(DOTENV_FILE, writeFile(resolve(io.cwd, DOTENV_FILE), dotenvLines(result)));
  if (flags.comment) await comment(reporting, { facts, result, end, warn });
  const { junit, metrics } = flags;
  if (junit !== undefined)
    await attempt(
      "The JUnit report",
      writeFile(resolve(io.cwd, junit), junitReport(command, facts, result, end)),
    );
  if (metrics !== undefined)
    await attempt("The metrics report", writeFile(resolve(io.cwd, metrics), metricsReport(facts)));
}

interface Work {
  facts: Facts;
  result: Result;
  end: End;
  warn: (text: string) => void;
  attempt: (what: string, work: Promise<unknown>) => Promise<void>;
}

async function reportToGithub(io: Reporting["io"], { facts, result, end, attempt }: Work): Promise<void> {
  const { GITHUB_WORKSPACE: workspace, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output } = io.env;
  if (end.error && end.error.code !== "interrupted") {
    const place = { file: facts.file, cwd: io.cwd, workspace };
    for (const line of errorAnnotations(end.error, place)) io.stderr.write(`${line}\n`);
  }
  if (summary)
    await attempt(
      "The job summary",
      appendLines(summary, reportText(facts, end), { maxBytes: MAX_SUMMARY_BYTES }),
    );
  if (output)
    await attempt(
      "The output of the step",
      appendLines(output, outputLines(result), { maxBytes: 1024 * 1024 }),
    );
}

/** How long the API of the CI system may take in all. */
const COMMENT_MS = 90_000;

/** Loads its modules only when they are needed: few jobs write comments. */
async function comment(
  { io, system, command, flags, idleMs }: Reporting,
  { facts, result, end, warn }: Pick<Work, "facts" | "result" | "end" | "warn">,
): Promise<void> {
  if (system === null) return warn("--comment has no effect outside of GitHub Actions and GitLab CI.");
  if (io.signal.aborted) return;
  const { commentTarget } = await import("./comment-target.ts");
  const { explainFailure, openComments, publishComment } = await import("./publish-comment.ts");
  const { commentBody, commentMarker } = await import("./comment-body.ts");
  const target = await commentTarget(system, io.env, flags.commentLabel).catch((failure: Error) => failure);
  if (target instanceof Error) return warn(`The comment was not written: ${target.message}.`);
  if (target === null)
    return void io.stderr.write("No comment: this job does not run for a pull or merge request.\n");
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(COMMENT_MS)]);
  const options = { system, env: io.env, target, tokenVariable: flags.commentToken, signal, idleMs };
  try {
    const marker = commentMarker(facts, command, target);
    const body = (earlier: string | null) => commentBody(marker, { facts, end, result, target }, earlier);
    await publishComment(openComments(options), marker, body);
  } catch (failure) {
    if (!io.signal.aborted) warn(explainFailure(failure, options));
  }
}

/** A submission that ended without a grade is in its error. */
function submissionOf({ error }: End): Submission | null {
  const submission = error?.details?.submission;
  return typeof submission === "object" && submission !== null ? (submission as Submission) : null;
}

function warning(text: string, system: CiSystem | null): string {
  const line = plainLine(text);
  return system === "github" ? workflowCommand("warning", line, { title: "crowdAI" }) : withoutCommands(line);
}
