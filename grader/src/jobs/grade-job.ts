import type { CrowdaiError, Outcome, RunRecord } from "@crowdai/shared";
import { removeFolderPaths, sanitizeText } from "../base/sanitize-text.ts";
import type { Verdict } from "../evaluators/protocol/evaluator.ts";
import { type CheckVerdict, checkSubmission, isTrial } from "./check-submission.ts";
import { gradeSession } from "./grade-session.ts";
import { type Graded, gradeOf, MAX_LOG, notFiniteNotice } from "./graded-result.ts";
import type { Grading } from "./grading.ts";
import { type Prepared, prepare } from "./prepare-input.ts";
import { type StoredResultFiles, storeResultFiles } from "./result-files.ts";

const NO_FILES: StoredResultFiles = { media: null, media_dropped: null, artifacts: [], notice: null };

/**
 * Grades one job: fetches and verifies the input, evaluates it, stores the files of the result. Every verdict
 * on the submission or the evaluator is a value. Throws only when this machine or the platform fails, or on
 * abort.
 */
export async function grade(grading: Grading): Promise<Graded> {
  const { job, folder, evaluator, workspace, objects, signal } = grading;
  const evaluator_version = folder.version;
  const failed = (code: CrowdaiError["code"], message: string): Outcome => ({
    ok: false,
    code,
    message,
    evaluator_version,
    ...(record ? { run: record } : {}),
  });
  let record: RunRecord | null = null;

  // A session is played with the function "submit", or replayed.
  if (folder.config.environment) return await gradeSession(grading, folder.config.environment);
  if (!folder.config.evaluator.functions.includes(job.function) && !isTrial(folder, job.function)) {
    const message = `The challenge's evaluator has no function ${sanitizeText(JSON.stringify(job.function), 120)}.`;
    return { outcome: failed("function_unknown", message), organizerLog: "", evaluatorLog: "" };
  }
  const prepared: Prepared = await prepare(grading);
  record = prepared.record;
  const runLog = sanitizeText(prepared.log, MAX_LOG);
  if (!prepared.ok) {
    const { code, message } = prepared;
    return { outcome: failed(code, sanitizeText(message)), organizerLog: runLog, evaluatorLog: "" };
  }

  const checked = await checkSubmission(grading, prepared.line);
  if (checked && (!checked.passed || isTrial(folder, job.function)))
    return checkedOutcome(checked, failed, evaluator_version, [runLog, grading.notice]);

  const evaluated = await evaluator.evaluate({
    id: job.submission,
    function: job.function,
    line: prepared.line,
    workspace: workspace.dir,
    signal,
    onEvent: grading.onEvent,
  });
  const files =
    evaluated.verdict.kind === "result"
      ? await storeResultFiles(evaluated.verdict.result, workspace.output, job, objects, signal)
      : NO_FILES;
  const verdict: Verdict = "kind" in files ? files : evaluated.verdict;
  const { notice, ...storedFiles } = "kind" in files ? NO_FILES : files;
  const notices = [grading.notice, notice, notFiniteNotice(verdict)].filter(Boolean).join("\n");
  const evaluatorLog = logFor(verdict, evaluated.stderr, notices);
  const organizerLog = [runLog, evaluatorLog].filter(Boolean).join("\n");

  const text = (raw: string) => sanitizeText(removeFolderPaths(raw, [workspace.dir, folder.dir]));
  if (verdict.kind === "failure")
    return { outcome: failed(verdict.code, verdict.message), organizerLog, evaluatorLog };
  if (verdict.kind === "rejected") {
    const message =
      text(verdict.message).trim() || "The evaluator rejected the submission without giving a reason.";
    return { outcome: failed("rejected", message), organizerLog, evaluatorLog };
  }
  const outcome: Outcome = {
    ok: true,
    ...gradeOf(verdict.result, text),
    ...storedFiles,
    evaluator_version,
    ...(record ? { run: record } : {}),
  };
  return { outcome, organizerLog, evaluatorLog };
}

/** The outcome of a submission that fails the check, or of a trial, which has no score. */
function checkedOutcome(
  checked: CheckVerdict,
  failed: (code: CrowdaiError["code"], message: string) => Outcome,
  evaluator_version: string,
  logs: readonly (string | null)[],
): Graded {
  const failure = "failure" in checked ? `${checked.failure.code}: ${checked.failure.detail}` : "";
  const stderr = checked.stderr && `stderr of the check:\n${checked.stderr}`;
  const organizerLog = sanitizeText([...logs, failure, stderr].filter(Boolean).join("\n"), MAX_LOG);
  const graded = (outcome: Outcome) => ({ outcome, organizerLog, evaluatorLog: organizerLog });
  if (checked.passed) {
    const message = checked.message ?? "The check passed.";
    const nothing = { score: null, score_secondary: null, meta: {}, data: null, media: null, artifacts: [] };
    return graded({ ok: true, ...nothing, message, evaluator_version });
  }
  if ("failure" in checked) return graded(failed(checked.failure.code, checked.failure.message));
  const { code, message, charge, data } = checked;
  return graded({ ...failed(code, message), charge, data } as Outcome);
}

function logFor(verdict: Verdict, stderr: string, notice: string): string {
  const lines = [
    verdict.kind === "failure" ? `${verdict.code}: ${verdict.detail}` : "",
    notice,
    stderr && `stderr:\n${stderr}`,
  ];
  return sanitizeText(lines.filter(Boolean).join("\n"), MAX_LOG);
}
