import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { RunRecord } from "@crowdai/shared";
import type { ChallengeFolder, RunConfig } from "@crowdai/shared/challenge-folder";
import { findUnreadable, makeReadable } from "../base/make-readable.ts";
import { type Builder, buildCode } from "./build-code.ts";
import type { CodeRun, CodeRunResult, RunTools } from "./code-run.ts";
import { type Command, findCommand, requireCommand } from "./find-command.ts";
import { digestTree } from "./folder-digest.ts";
import type { Image } from "./images.ts";
import { RunFailure } from "./run-failure.ts";
import { runOnInput } from "./run-on-input.ts";
import { addStage, newRecord } from "./run-record.ts";
import { streams } from "./stage-plan.ts";

/**
 * Runs submitted code in boxes: builds it, runs it on the sample, and then on the private input. Every verdict on the code or the
 * challenge is a value. Throws only when this machine fails, and on abort.
 */
export async function runCode(job: CodeRun, tools: RunTools): Promise<CodeRunResult> {
  const { folder, run, code } = job;
  const log: string[] = [];
  let record: RunRecord | null = null;
  try {
    makeReadable(code.dir);
    const image = await tools.images.open(folder, run.image);
    const command = await findCommand(run, job.command, code.dir);
    requireFiles(folder, job.sampleOnly ? { ...run, input: null } : run);
    const packages = run.packages === null ? null : await digestTree(join(folder.dir, run.packages));
    const { digest } = image;
    record = newRecord(tools.maker, run.limits, {
      ...{ command: [...command], image: digest, packages, tree: code.digest },
    });
    requireCommand(command, {
      ...{ codeDir: code.dir, root: image.root, isChallenges: run.command !== "submission" },
      mayBuild: run.build !== null && run.build !== "auto",
    });
    return {
      ok: true,
      file: await runStages(job, tools, { image, command, record, log }),
      record,
      log: text(log),
    };
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    if (error.detail) log.push(error.detail);
    return { ok: false, code: error.code, message: error.message, record, log: text(log) };
  }
}

const text = (log: readonly string[]) => log.filter(Boolean).join("\n");

async function runStages(
  job: CodeRun,
  tools: RunTools,
  context: { image: Image; command: Command; record: RunRecord; log: string[] },
): Promise<string> {
  const { run, folder, signal } = job;
  const { image, command, record, log } = context;
  const builder: Builder = { ...tools, ...{ image, record, log, signal, onStage: job.onStage } };
  using built = await buildCode(job, builder);
  const base = {
    ...tools,
    ...{ image, command, built: built?.dir ?? null, code: job.code.dir, run, signal },
  };

  const stages = [
    ...(run.sample === null
      ? []
      : [{ stage: "sample", input: run.sample, isVisible: run.logs !== "none" } as const]),
    ...(job.sampleOnly ? [] : [{ stage: "run", input: run.input, isVisible: run.logs === "all" } as const]),
  ];
  let file = "";
  for (const { stage, input, isVisible } of stages) {
    job.onStage(stage);
    const into = stage === "run" ? job.output : join(job.scratch, randomUUID());
    await mkdir(into, { recursive: true, mode: 0o700 });
    const path = input === null ? null : join(folder.dir, input);
    const { end, problem, outputBytes, output } = await runOnInput({
      ...base,
      stage,
      input: path,
      into,
      isVisible,
    });
    addStage(record, stage, end, outputBytes, { isVisible, limits: run.limits });
    log.push(`${stage}: ${problem?.message ?? "ok"}`, streams(end));
    if (problem) throw problem;
    if (stage === "run") file = output;
    else await rm(into, { recursive: true, force: true, maxRetries: 3 });
  }
  return file;
}

/** The program in a box has a user of its own, whom the organizer's files may exclude. */
function requireFiles(folder: ChallengeFolder, run: RunConfig): void {
  for (const path of [run.input, run.sample, run.packages]) {
    if (path === null) continue;
    let unreadable: string | null;
    try {
      unreadable = findUnreadable(join(folder.dir, path));
    } catch (error) {
      unreadable = (error as NodeJS.ErrnoException).path ?? path;
    }
    if (unreadable !== null)
      throw new RunFailure(
        "input_unreadable",
        "The challenge's input cannot be read.",
        `${relative(folder.dir, unreadable) || path} is missing, or cannot be read in a box: let all users read it with chmod -R o+rX`,
      );
  }
}
