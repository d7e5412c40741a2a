import { CrowdaiError, type Job, type Outcome } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import { removeFolderPaths, sanitizeText } from "../base/sanitize-text.ts";
import type { Evaluator, Verdict } from "../evaluators/protocol/evaluator.ts";
import type { LiveEvaluatorEvent } from "../evaluators/protocol/events.ts";
import { prepareJob } from "./job-input.ts";
import { type StoredResultFiles, storeResultFiles } from "./result-files.ts";
import type { UnpackLimits } from "./unpack-archive.ts";
import type { Workspace } from "./workspace.ts";

export interface Grading {
  job: Job;
  folder: ChallengeFolder;
  evaluator: Evaluator;
  /** A note for the organizer's log, besides the evaluator's own output. */
  notice: string | null;
  workspace: Workspace;
  objects: ObjectStore;
  signal: AbortSignal;
  onEvent(event: LiveEvaluatorEvent): void;
}

export interface Graded {
  outcome: Outcome;
  organizerLog: string;
}

const NO_FILES: StoredResultFiles = { media: null, media_dropped: null, artifacts: [], notice: null };

/**
 * Grades one job: fetches and verifies the input, evaluates it, stores the files of the result. Every verdict on the
 * submission or the evaluator is a value. Throws only when this machine or the platform fails, or on abort.
 */
export async function grade(grading: Grading): Promise<Graded> {
  const { job, folder, evaluator, workspace, objects, signal } = grading;
  const evaluator_version = folder.version;
  const failed = (code: CrowdaiError["code"], message: string): Outcome => ({
    ok: false,
    code,
    message,
    evaluator_version,
  });

  if (!folder.config.evaluator.functions.includes(job.function)) {
    const message = `The challenge's evaluator has no function ${sanitizeText(JSON.stringify(job.function), 120)}.`;
    return { outcome: failed("function_unknown", message), organizerLog: "" };
  }
  let line: string;
  try {
    line = await prepareJob(job, workspace, objects, signal, unpackLimits(folder));
  } catch (error) {
    if (
      error instanceof CrowdaiError &&
      (error.code.startsWith("value_") || error.code === "archive_invalid")
    )
      return { outcome: failed(error.code, error.message), organizerLog: "" };
    throw error;
  }

  const evaluated = await evaluator.evaluate({
    id: job.submission,
    function: job.function,
    line,
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
  const organizerLog = logFor(verdict, evaluated.stderr, notices);

  const text = (raw: string) => sanitizeText(removeFolderPaths(raw, [workspace.dir, folder.dir]));
  if (verdict.kind === "failure") return { outcome: failed(verdict.code, verdict.message), organizerLog };
  if (verdict.kind === "rejected") {
    const message =
      text(verdict.message).trim() || "The evaluator rejected the submission without giving a reason.";
    return { outcome: failed("rejected", message), organizerLog };
  }
  const { score, score_secondary, message, meta, data } = verdict.result;
  const outcome: Outcome = {
    ok: true,
    score: number(score),
    score_secondary: number(score_secondary),
    message: message == null ? null : text(message),
    meta: meta ?? {},
    data: data ?? null,
    ...storedFiles,
    evaluator_version,
  };
  return { outcome, organizerLog };
}

const MAX_UNPACKED_FILES = 20_000;
/** How much larger than the largest archive its contents may be. */
const MAX_EXPANSION = 10;

function unpackLimits({ config }: ChallengeFolder): UnpackLimits | null {
  const { file } = config.accepts;
  return file?.unpack ? { maxFiles: MAX_UNPACKED_FILES, maxBytes: MAX_EXPANSION * file.max_bytes } : null;
}

/** Names the fields that a result could not have, for the organizer. */
function notFiniteNotice(verdict: Verdict): string {
  const fields = verdict.kind === "result" ? (verdict.result.notFinite ?? []) : [];
  if (fields.length === 0) return "";
  const named = fields.slice(0, MAX_NAMED).join(", ");
  const more = fields.length > MAX_NAMED ? ` and ${fields.length - MAX_NAMED} more` : "";
  return `${named}${more}: NaN or Infinity, which JSON cannot represent, was stored as null`;
}
const MAX_NAMED = 20;

/** Turns minus zero into zero, so that equal scores tie. */
function number(value: number | null | undefined): number | null {
  return value == null ? null : value + 0;
}

function logFor(verdict: Verdict, stderr: string, notice: string): string {
  const lines = [
    verdict.kind === "failure" ? `${verdict.code}: ${verdict.detail}` : "",
    notice,
    stderr && `stderr:\n${stderr}`,
  ];
  return sanitizeText(lines.filter(Boolean).join("\n"), 128 * 1024);
}
