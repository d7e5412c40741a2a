import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunRecord } from "@crowdai/shared";
import { type Builder, buildCode } from "./build-code.ts";
import type { CodeRun, CodeRunResult, RunTools } from "./code-run.ts";
import { type PreparedRun, prepareRun } from "./prepare-run.ts";
import { RunFailure } from "./run-failure.ts";
import { runOnInput } from "./run-on-input.ts";
import { addStage } from "./run-record.ts";
import { streams } from "./stage-plan.ts";

/**
 * Runs submitted code in boxes: builds it, runs it on the sample, and then on the private input. Every
 * verdict on the code or the challenge is a value. Throws only when this machine fails, and on abort.
 */
export async function runCode(job: CodeRun, tools: RunTools): Promise<CodeRunResult> {
  const { run } = job;
  const log: string[] = [];
  let record: RunRecord | null = null;
  try {
    const needed = job.sampleOnly ? { ...run, input: null } : run;
    const onRecord = (started: RunRecord) => {
      record = started;
    };
    const prepared = await prepareRun({ ...job, run: needed, field: "run", onRecord }, tools);
    const file = await runStages(job, tools, { ...prepared, log });
    return { ok: true, file, record, log: text(log) };
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
  context: PreparedRun & { log: string[] },
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
