import type { RunConfig } from "@crowdai/shared/challenge-folder";
import { BOX, type BoxLimits } from "../box/sandbox.ts";

const MEBIBYTE = 1024 * 1024;

/** The folders that a program finds in its box. */
export const RUN = { code: "/code", input: "/input" } as const;

/** The environment of a program, besides PATH, HOME and TMPDIR. */
export function boxEnvironment({ hasInput }: { hasInput: boolean }): Record<string, string> {
  return {
    LANG: "C.UTF-8",
    CROWDAI_CODE: RUN.code,
    CROWDAI_OUT: BOX.output,
    ...(hasInput ? { CROWDAI_INPUT: RUN.input } : {}),
  };
}

/** The limits of a run, or of a build, which has its own time. */
export function boxLimits(limits: RunConfig["limits"], kind: "run" | "build"): BoxLimits {
  const { build_seconds, wall_seconds, cpu_seconds } = limits;
  return {
    memoryBytes: limits.memory_mb * MEBIBYTE,
    cpuMs: kind === "build" || cpu_seconds === null ? null : cpu_seconds * 1000,
    wallMs: (kind === "build" ? build_seconds : wall_seconds) * 1000,
    processes: limits.processes,
    scratchBytes: limits.scratch_mb * MEBIBYTE,
  };
}

/** Returns a program's output for the organizer's log. */
export const streams = ({ stdout, stderr }: { stdout: string; stderr: string }) =>
  [stdout && `stdout:\n${stdout}`, stderr && `stderr:\n${stderr}`].filter(Boolean).join("\n");
