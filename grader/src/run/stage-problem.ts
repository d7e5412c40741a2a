import type { ErrorCode } from "@crowdai/shared";
import type { RunConfig } from "@crowdai/shared/challenge-folder";
import type { BoxRunEnd } from "./run-in-box.ts";

export interface StageProblem {
  /** The verdict if this was the run on the private input. */
  code: ErrorCode;
  /** Without a subject, such as "took longer than 10 s". */
  what: string;
}

/** Returns why a program did not succeed: the limit, or how it ended. Null when it exited with 0. */
export function stageProblem(
  end: BoxRunEnd,
  limits: RunConfig["limits"],
  { wallSeconds, maxPrintedBytes }: { wallSeconds: number; maxPrintedBytes: number },
): StageProblem | null {
  const { memory_mb, cpu_seconds, scratch_mb } = limits;
  switch (end.ended) {
    case "wall":
      return { code: "code_timeout", what: `took longer than ${wallSeconds} s` };
    case "cpu":
      return { code: "code_cpu", what: `used more than ${cpu_seconds} s of processor time` };
    case "memory":
      return {
        code: "code_memory",
        what: `used more than ${memory_mb} MB of memory, files in /tmp and /out included`,
      };
    case "output":
      return { code: "code_output", what: `printed more than ${maxPrintedBytes} bytes` };
    case "killed":
      return { code: "code_crashed", what: "killed the box that it ran in" };
    case "signal":
      return end.scratchFull || end.signal === "SIGXFSZ"
        ? { code: "code_output", what: `filled /tmp or /out, which hold ${scratch_mb} MB each` }
        : { code: "code_crashed", what: `was ended by ${end.signal}` };
    case "exit":
      if (end.exitCode === 0) return null;
      return end.scratchFull
        ? { code: "code_output", what: `filled /tmp or /out, which hold ${scratch_mb} MB each` }
        : { code: "code_crashed", what: `exited with code ${end.exitCode}` };
  }
}

/** Returns the last line that a program printed, for a message about its failure. */
export function lastLine({ stderr, stdout }: Pick<BoxRunEnd, "stderr" | "stdout">): string {
  for (const text of [stderr, stdout]) {
    const line = text.trimEnd().split("\n").at(-1)!.trim();
    if (line !== "") return line.length > 300 ? `${line.slice(0, 300)} …` : line;
  }
  return "";
}
