import { createReadStream } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, parseExact } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import {
  type CheckConfig,
  checkFile,
  type FormatProblems,
  idsOf,
  MAX_PROBLEMS,
  problemOf,
  problemsText,
} from "@crowdai/shared/check";
import { checkJson } from "@crowdai/shared/check-json";
import { removeFolderPaths, sanitizeText } from "../base/sanitize-text.ts";
import type { Verdict } from "../evaluators/protocol/evaluator.ts";
import { timedOut } from "../evaluators/protocol/evaluator-failure.ts";
import type { Grading } from "./grading.ts";

/** The verdict of a challenge's check about a submission. */
export type CheckVerdict =
  | { passed: true; message: string | null; stderr: string }
  | {
      passed: false;
      code: ErrorCode;
      message: string;
      charge?: boolean;
      data?: FormatProblems;
      stderr: string;
    }
  | { passed: false; failure: Extract<Verdict, { kind: "failure" }>; stderr: string };

type Checking = Pick<Grading, "job" | "folder" | "evaluator" | "workspace" | "signal" | "onEvent">;

/** Whether a job is a trial of the check alone, without a grade. */
export const isTrial = ({ config }: ChallengeFolder, called: string): boolean =>
  config.check?.function === called;

/**
 * Checks a fetched submission, before it is graded and its slot is charged: against the rules of `check`, and
 * then with the evaluator's function. Returns null when the challenge has no check, or the job is for another
 * function.
 */
export async function checkSubmission(grading: Checking, line: string): Promise<CheckVerdict | null> {
  const { job, folder } = grading;
  const { check } = folder.config;
  if (!check || (job.function !== "submit" && !isTrial(folder, job.function))) return null;
  const charge = check.charge && job.function === "submit" && !job.dry_run;
  const refused = (found: FormatProblems, stderr = ""): CheckVerdict => ({
    ...{ passed: false, code: "check_failed", charge, data: found, stderr },
    message: problemsText("The submission", job.challenge, found),
  });
  const found = await formatProblems(grading, check, line);
  if (found && found.total > 0) return refused(found);
  if (check.function === null) return { passed: true, message: null, stderr: "" };

  const { verdict, stderr } = await callCheck(grading, check, line);
  if (verdict.kind === "failure") return { passed: false, failure: verdict, stderr };
  const text = (raw: string) =>
    sanitizeText(removeFolderPaths(raw, [grading.workspace.dir, folder.dir]), MAX_TEXT).trim();
  const said = verdict.kind === "rejected" ? verdict.message.split(/\r?\n/) : (verdict.result.problems ?? []);
  const problems = said.map((one) => text(one.replace(/\s*\n\s*/g, " "))).filter((one) => one !== "");
  if (verdict.kind === "rejected" && problems.length === 0) problems.push("the evaluator gave no reason");
  if (problems.length > 0)
    return refused(
      { problems: problems.slice(0, MAX_PROBLEMS).map((one) => problemOf(one)), total: problems.length },
      stderr,
    );
  const message = verdict.kind === "result" ? verdict.result.message : null;
  return { passed: true, message: message ? text(message) : null, stderr };
}
/** The longest problem of an evaluator, in characters. */
const MAX_TEXT = 400;

/** Returns the problems that need no evaluator. */
async function formatProblems(
  { job, folder, signal }: Checking,
  check: CheckConfig,
  line: string,
): Promise<FormatProblems | null> {
  if (job.input.kind !== "file") {
    if (check.schema === null) return null;
    const { input } = parseExact(line) as { input: { data: unknown } };
    return checkJson(input.data, check.schema);
  }
  const { path } = (JSON.parse(line) as { input: { path: string } }).input;
  const ids = () => idsOf(check.csv, (file) => createReadStream(join(folder.dir, file)));
  const checked = await checkFile(path, check, ids, signal);
  return checked && "found" in checked ? checked.found : null;
}

async function callCheck(
  { job, evaluator, workspace, signal, folder, onEvent }: Checking,
  check: CheckConfig,
  line: string,
) {
  const called = check.function!;
  const limit = check.timeout_seconds * 1000;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limit);
  try {
    return await evaluator.evaluate({
      id: job.submission,
      function: called,
      // The id before it has no quotes, so that this is the field.
      line: line.replace(/"function":"(?:[^"\\]|\\.)*"/, () => `"function":${JSON.stringify(called)}`),
      workspace: workspace.dir,
      signal: AbortSignal.any([signal, late.signal]),
      // The progress of a submission is that of its grading.
      onEvent: (event) =>
        isTrial(folder, job.function) || event.type === "log" ? onEvent(event) : undefined,
    });
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error;
    return { verdict: timedOut(limit), stderr: "" };
  } finally {
    clearTimeout(timer);
  }
}
