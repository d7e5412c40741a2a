import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunRecord, RunStage } from "@crowdai/shared";
import { makeReadable } from "../base/make-readable.ts";
import type { LeftEntry } from "../box/sandbox.ts";
import type { HeldBuild } from "./build-cache.ts";
import { type BuildPlan, digestOf, planBuild } from "./build-plan.ts";
import type { CodeRun, RunTools } from "./code-run.ts";
import type { Image } from "./images.ts";
import { RunFailure } from "./run-failure.ts";
import { MAX_PRINTED_BYTES, runInBox } from "./run-in-box.ts";
import { addCachedBuild, addStage } from "./run-record.ts";
import { boxEnvironment, boxLimits, streams } from "./stage-plan.ts";
import { lastLine, stageProblem } from "./stage-problem.ts";

const MAX_FILES = 200_000;

export interface Builder extends RunTools {
  image: Image;
  record: RunRecord;
  log: string[];
  signal: AbortSignal;
  onStage(stage: RunStage): void;
}

/**
 * Builds code, or finds the result of an earlier build of the same files. Null when there is nothing to
 * build.
 */
export async function buildCode(
  { folder, run, code, scratch }: Pick<CodeRun, "folder" | "run" | "code" | "scratch">,
  builder: Builder,
): Promise<HeldBuild | null> {
  const { builds, image, record, log, signal } = builder;
  const plan = await planBuild(run.build, code, run.packages !== null);
  if (!plan) return null;
  builder.onStage("build");
  const digest = digestOf([image.digest, record.packages, plan.digest]);
  const known = builds.hold(digest);
  if (known) {
    addCachedBuild(record);
    return known;
  }
  const visible = plan.files === "code" ? code.dir : await copyOf(plan.files, join(scratch, "build"));
  const into = await builds.newFolder();
  try {
    const left = { files: 0, bytes: 0 };
    const take = ({ kind, size, target }: LeftEntry) => {
      if (kind !== "file" && target === null) return false;
      left.files++;
      left.bytes += size;
      return left.files <= MAX_FILES;
    };
    const isVisible = run.logs !== "none";
    const wallSeconds = run.limits.build_seconds;
    const end = await runInBox({
      sandbox: builder.sandbox,
      plan: {
        command: plan.command,
        cwd: "/tmp",
        env: boxEnvironment({ hasInput: false }),
        readable: {
          "/code": visible,
          ...(run.packages === null ? {} : { "/packages": join(folder.dir, run.packages) }),
        },
        ...(image.root === null ? {} : { root: image.root }),
        limits: boxLimits(run.limits, "build"),
      },
      collect: { folder: into, take },
      maxPrintedBytes: MAX_PRINTED_BYTES,
      signal,
    });
    addStage(record, "build", end, left.bytes, { isVisible, limits: run.limits });
    const problem =
      stageProblem(end, run.limits, { wallSeconds, maxPrintedBytes: MAX_PRINTED_BYTES })?.what ??
      (left.files > MAX_FILES ? `left more than ${MAX_FILES} files` : null) ??
      (end.collected ? null : "left files that could not be taken out of its box");
    log.push(`build (${plan.shown.join(", ")}): ${problem ?? "ok"}`, streams(end));
    if (problem !== null) throw failure(problem, isVisible && end.ended === "exit" ? lastLine(end) : "");
    return await builds.store(digest, into);
  } finally {
    await rm(into, { recursive: true, force: true, maxRetries: 3 });
  }
}

function failure(problem: string, said: string): RunFailure {
  return new RunFailure("build_failed", `The build ${problem}${said ? `: ${said}` : "."}`);
}

async function copyOf(files: Exclude<BuildPlan["files"], "code">, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  makeReadable(folder);
  return folder;
}
