import type { PublicChallenge, RunRecord } from "@crowdai/shared";
import type { LabeledRow } from "../../terminal/labels.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { shellWord } from "../../terminal/shell-word.ts";
import { sizeText } from "../../terminal/size.ts";

type Run = NonNullable<PublicChallenge["run"]>;

/** Returns how a challenge runs code. */
export function runRows({ command, image, build, sample, output, limits, logs }: Run): LabeledRow[] {
  const stages = [build && "build", sample && "sample", "private input", "evaluator"].filter(Boolean);
  return [
    ["Command", command ? commandText(command) : "the one that your crowdai.json names"],
    ["Image", image === "host" ? "the grader's machine" : image],
    ["Stages", stages.join(", ")],
    ["Output", output === "lines" ? "a line of JSON for each line of input" : `/out/${output}`],
    ["Limits", limitsText(limits)],
    ["Logs", { none: "not shown", sample: "of the sample", all: "of all stages" }[logs]],
  ];
}

export function commandText(command: readonly string[]): string {
  return plainLine(command.map(shellWord).join(" "));
}

export function limitsText(limits: Run["limits"]): string {
  const { wall_seconds, cpu_seconds, memory_mb, processes, scratch_mb } = limits;
  return [
    wall_seconds && `${wall_seconds} s`,
    cpu_seconds && `${cpu_seconds} s of processor time`,
    memory_mb && `${memory_mb} MB of memory`,
    processes && `${processes} processes`,
    scratch_mb && `${scratch_mb} MB of files`,
  ]
    .filter(Boolean)
    .join(", ");
}

const STAGES = {
  build: "Build",
  sample: "Sample",
  run: "Private input",
  play: "Play",
  evaluate: "Evaluator",
};
const ENDS: Record<RunRecord["stages"][number]["ended"], string> = {
  exit: "ended",
  signal: "killed by a signal",
  wall: "ended by the time limit",
  cpu: "ended by the limit of processor time",
  memory: "ended by the memory limit",
  output: "ended by the limit of output",
  killed: "killed",
};

/** Returns how the stages of a run went. */
export function stageRows({ stages }: Pick<RunRecord, "stages">): LabeledRow[] {
  return stages.map(({ stage, cached, ended, exit_code, wall_seconds, peak_memory_bytes }) => {
    if (cached) return [STAGES[stage], "built earlier"];
    const how = ended === "exit" && exit_code !== null ? `exit code ${exit_code}` : ENDS[ended];
    return [STAGES[stage], `${how}, ${wall_seconds.toFixed(1)} s, ${sizeText(peak_memory_bytes)} of memory`];
  });
}

/** Returns the last lines that a failed program printed, errors before other output. */
export function lastLines({ stages }: Pick<RunRecord, "stages">, count: number): string[] {
  const last = stages.at(-1);
  const text = last?.stderr?.trim() || last?.stdout?.trim() || "";
  return text === "" ? [] : text.split("\n").slice(-count).map(plainLine);
}
