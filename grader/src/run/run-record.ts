import { release } from "node:os";
import type { RunRecord, StageRecord } from "@crowdai/shared";
import type { RunConfig } from "@crowdai/shared/challenge-folder";
import { sanitizeText } from "../base/sanitize-text.ts";
import type { BoxRunEnd } from "./run-in-box.ts";

const MEBIBYTE = 1024 * 1024;

/** The maker of a grader's boxes, and the barriers that its self-test found to be enforced. */
export interface BoxMaker {
  sandbox: string;
  barriers: readonly string[];
  grader: string;
}

/** Starts the record of a run. */
export function newRecord(
  maker: BoxMaker,
  limits: RunConfig["limits"],
  about: Pick<RunRecord, "command" | "image" | "packages" | "tree">,
): RunRecord {
  return {
    sandbox: maker.sandbox,
    kernel: release(),
    enforced: [...maker.barriers, ...limitTexts(limits)],
    grader: maker.grader,
    ...about,
    stages: [],
  };
}

function limitTexts(limits: RunConfig["limits"]): string[] {
  return [
    `wall time of each run: ${limits.wall_seconds} s`,
    `memory of all processes, files in /tmp and /out included: ${limits.memory_mb} MB`,
    `processes and threads: ${limits.processes}`,
    `/tmp and /out: ${limits.scratch_mb} MB each`,
    ...(limits.cpu_seconds === null ? [] : [cpuText(limits.cpu_seconds)]),
  ];
}

const cpuText = (seconds: number) => `processor time of each run: ${seconds} s`;

/**
 * Adds a stage. Its output is part of the record only if the participant may see it, and then its figures are
 * exact, too.
 */
export function addStage(
  record: RunRecord,
  stage: StageRecord["stage"],
  end: BoxRunEnd,
  outputBytes: number,
  options: { isVisible: boolean; limits: RunConfig["limits"] },
): void {
  const { isVisible, limits } = options;
  const { wallMs, cpuMs, peakMemoryBytes } = end.usage;
  // Where processor time is not counted, it is not limited.
  if (cpuMs === 0 && limits.cpu_seconds !== null)
    record.enforced = record.enforced.filter((text) => text !== cpuText(limits.cpu_seconds!));
  const shown = (text: string) => (isVisible ? sanitizeText(text, MEBIBYTE) : null);
  // Figures of the private input are rounded, because a program can put it into them.
  const rounded = (bytes: number, step: number) => (isVisible ? bytes : Math.ceil(bytes / step) * step);
  record.stages.push({
    stage,
    cached: false,
    ended: end.ended,
    exit_code: end.exitCode,
    wall_seconds: tenths(wallMs),
    cpu_seconds: tenths(cpuMs),
    peak_memory_bytes: rounded(peakMemoryBytes, MEBIBYTE),
    output_bytes: rounded(outputBytes, 1024),
    stdout: shown(end.stdout),
    stderr: shown(end.stderr),
  });
}

/** Adds a build that was made for an earlier submission. */
export function addCachedBuild(record: RunRecord): void {
  record.stages.push({
    ...{ stage: "build", cached: true, ended: "exit", exit_code: 0, wall_seconds: 0, cpu_seconds: 0 },
    ...{ peak_memory_bytes: 0, output_bytes: 0, stdout: null, stderr: null },
  });
}

const tenths = (ms: number) => Math.round(ms / 100) / 10;
