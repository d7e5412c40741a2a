import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, type ErrorCode, type Job, type RunRecord } from "@crowdai/shared";
import type { ChallengeFolder, RunConfig } from "@crowdai/shared/challenge-folder";
import type { UnpackLimits } from "@crowdai/shared/unpack-archive";
import { runCode } from "../run/run-code.ts";
import type { Grading } from "./grading.ts";
import { fetchCode, jobLine, prepareJob } from "./job-input.ts";

/** The job's line for the evaluator, or a verdict on what was submitted. */
export type Prepared = {
  /** How the submitted code was run, if it was. */
  record: RunRecord | null;
  log: string;
} & ({ ok: true; line: string } | { ok: false; code: ErrorCode; message: string });

/** Fetches and verifies the input. Submitted code is run; its output is the input then. */
export async function prepare(grading: Omit<Grading, "evaluator" | "notice" | "onEvent">): Promise<Prepared> {
  const { job, folder, workspace, objects, signal } = grading;
  const { run } = folder.config;
  try {
    if (run) return await runSubmission(grading, run);
    const line = await prepareJob(job, workspace, objects, signal, unpackLimits(folder, job));
    return { ok: true, line, record: null, log: "" };
  } catch (error) {
    if (error instanceof CrowdaiError && isVerdict(error.code))
      return { ok: false, code: error.code, message: error.message, record: null, log: "" };
    throw error;
  }
}

const isVerdict = (code: ErrorCode) =>
  code.startsWith("value_") || code === "archive_invalid" || code === "code_invalid";

async function runSubmission(grading: Parameters<typeof prepare>[0], run: RunConfig): Promise<Prepared> {
  const { job, folder, workspace, objects, signal, runTools, onStage } = grading;
  if (job.input.kind !== "code" || !job.code)
    throw new CrowdaiError("code_invalid", "The challenge runs code, and the submission has none.");
  if (!runTools) throw new CrowdaiError("sandbox_unavailable");
  const dir = await fetchCode(job.code, join(workspace.dir, "code"), objects, signal);
  const scratch = join(workspace.dir, "scratch");
  await mkdir(scratch, { mode: 0o700 });
  const { command } = job.input;
  const result = await runCode(
    {
      ...{ folder, run, command, scratch, signal, output: workspace.input },
      code: { dir, digest: job.code.sha256 },
      sampleOnly: grading.sampleOnly ?? false,
      onStage: (stage) => onStage?.(stage),
    },
    runTools(),
  );
  if (!result.ok) return result;
  if (!grading.sampleOnly) onStage?.("evaluate");
  const code = folder.config.code.to_graders ? dir : null;
  const line = jobLine(job, JSON.stringify({ path: result.file }), code, workspace);
  return { ok: true, line, record: result.record, log: result.log };
}

const MAX_UNPACKED_FILES = 20_000;
/** How much larger than the largest archive its contents may be. */
const MAX_EXPANSION = 10;

const ARCHIVE = /\.(?:zip|tar|tar\.gz|tgz)$/i;

/**
 * The limits of an archive that is unpacked; null for a file that is not. A scoring program of Codabench
 * expects archives, or files.
 */
function unpackLimits({ config }: ChallengeFolder, { input }: Job): UnpackLimits | null {
  const { file } = config.accepts;
  if (!file) return null;
  const isArchive = input.kind === "file" && ARCHIVE.test(input.name ?? "");
  const unpack = file.unpack ?? ("codabench" in config.evaluator && isArchive);
  return unpack ? { maxFiles: MAX_UNPACKED_FILES, maxBytes: MAX_EXPANSION * file.max_bytes } : null;
}
