import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, type ErrorCode, type Outcome, type StoredFile } from "@crowdai/shared";
import type { EnvironmentConfig } from "@crowdai/shared/challenge-folder";
import { removeFolderPaths, sanitizeText } from "../base/sanitize-text.ts";
import { verifiedBytes } from "../base/verified-bytes.ts";
import { type Played, type PlayOptions, play } from "../environment/play.ts";
import { STEP_LOG } from "../environment/step-log.ts";
import { type Graded, gradeOf, MAX_LOG, notFiniteNotice } from "./graded-result.ts";
import type { Grading } from "./grading.ts";
import { fetchCode } from "./job-input.ts";
import { type StoredResultFiles, storeFile, storeResultFiles } from "./result-files.ts";

/**
 * Grades a job of a challenge with `environment`: an agent plays its episodes, or a stored step log is done
 * again.
 */
export async function gradeSession(grading: Grading, environment: EnvironmentConfig): Promise<Graded> {
  const { folder, workspace, objects, job, signal } = grading;
  const launch = grading.environment;
  if (!launch) return await unstartable(grading);
  let taken: TakenInput;
  try {
    taken = await takeInput(grading, environment);
  } catch (error) {
    if (!(error instanceof CrowdaiError) || error.code !== "code_invalid") throw error;
    const { code, message } = error;
    const outcome: Outcome = { ok: false, code, message, evaluator_version: folder.version };
    return { outcome, organizerLog: "", evaluatorLog: "" };
  }
  const played = await play({
    ...{ job, folder, environment, launch, signal, ...taken },
    ...{ grader: grading.grader ?? "", dir: workspace.dir },
    ...{ runTools: grading.runTools ?? null, steps: grading.steps ?? null },
    ...{ onEvent: grading.onEvent, onStage: (stage) => grading.onStage?.(stage) },
  });
  const { verdict } = played;
  const log = played.stepLog === null ? null : await storeLog(played.stepLog, grading);
  const files =
    verdict.kind === "result"
      ? await storeResultFiles(verdict.result, played.output, job, objects, signal)
      : NO_FILES;
  const notices = [grading.notice, "notice" in files ? files.notice : files.detail, notFiniteNotice(verdict)];
  const text = (log: string) => sanitizeText([...notices, log].filter(Boolean).join("\n"), MAX_LOG);
  return {
    outcome: outcomeOf(played, files, log, grading),
    organizerLog: text(played.log),
    evaluatorLog: text(played.environmentLog),
  };
}

/** An environment whose files cannot be read in its box. The evaluator that stands for it says which. */
async function unstartable({ evaluator, job, folder, workspace, signal, onEvent }: Grading): Promise<Graded> {
  const { verdict } = await evaluator.evaluate({
    ...{ id: job.submission, function: job.function, line: "", workspace: workspace.dir, signal, onEvent },
  });
  const detail = verdict.kind === "failure" ? verdict.detail : "";
  const message = "The environment cannot be started.";
  const outcome: Outcome = { ok: false, code: "env_crashed", message, evaluator_version: folder.version };
  return { outcome, organizerLog: detail, evaluatorLog: detail };
}

type TakenInput = Pick<PlayOptions, "code" | "replay">;

async function takeInput(grading: Grading, { agents }: EnvironmentConfig): Promise<TakenInput> {
  const { job, workspace, objects, signal } = grading;
  const { input } = job;
  if (input.kind === "session") {
    if (input.replay === null) return { code: null, replay: null };
    const path = join(workspace.input, STEP_LOG);
    await using file = await open(path, "wx", 0o600);
    for await (const chunk of verifiedBytes(input.replay, objects, signal)) await file.write(chunk);
    return { code: null, replay: path };
  }
  if (input.kind !== "code" || !job.code || !agents.includes("code"))
    throw new CrowdaiError("code_invalid", "The challenge takes an agent, and the submission has none.");
  const dir = await fetchCode(job.code, join(workspace.dir, "code"), objects, signal);
  return { code: { dir, digest: job.code.sha256, command: input.command }, replay: null };
}

const storeLog = (path: string, { job, objects, signal }: Grading): Promise<StoredFile> =>
  storeFile(createReadStream(path), { job, objects, signal }, { name: STEP_LOG, type: "application/gzip" });

const NO_FILES: StoredResultFiles = { media: null, media_dropped: null, artifacts: [], notice: null };

function outcomeOf(
  played: Played,
  files: Awaited<ReturnType<typeof storeResultFiles>>,
  log: StoredFile | null,
  { workspace, folder }: Grading,
): Outcome {
  const { verdict, started } = played;
  const text = (raw: string) => sanitizeText(removeFolderPaths(raw, [workspace.dir, folder.dir]));
  const common = {
    evaluator_version: folder.version,
    ...(played.run ? { run: played.run } : {}),
    ...(played.environment ? { environment: played.environment } : {}),
  };
  const failed = (code: ErrorCode, message: string): Outcome => ({
    ...{ ok: false, code, message: text(message), ...common },
    ...(log ? { artifacts: [log] } : {}),
    ...(isOfAgent(code) ? { charge: started } : {}),
  });
  if (verdict.kind === "failure") return failed(verdict.code, verdict.message);
  if (verdict.kind === "rejected")
    return failed(
      "rejected",
      verdict.message.trim() || "The environment rejected the session without a reason.",
    );
  if ("kind" in files) return failed("env_output", "The environment named an invalid result file.");
  const { notice: _, artifacts, ...stored } = files;
  return {
    ok: true,
    ...gradeOf(verdict.result, text),
    ...stored,
    artifacts: log ? [log, ...artifacts] : artifacts,
    ...common,
  };
}

/** Whether a slot is charged for a verdict once the agent has seen the first observation. */
const isOfAgent = (code: ErrorCode) =>
  /^(?:agent_|code_(?!invalid))/.test(code) || code === "session_abandoned";
