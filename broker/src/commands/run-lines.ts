import type { RunRecord } from "@crowdai/shared";
import { shownSize } from "../base/shown-size.ts";
import { STAGE_TITLES, stageVerdict } from "../domain/submissions/stage-verdict.ts";

/** Returns how submitted code was run: its command and stages, and the limits that held. */
export function runLines({ command, sandbox, kernel, grader, enforced, stages }: RunRecord): string[] {
  return [
    `run: ${command.join(" ")}`,
    ...stages.map((stage) => {
      const { wall_seconds, cpu_seconds, peak_memory_bytes, output_bytes } = stage;
      const used = [
        `${wall_seconds.toFixed(1)} s`,
        `${cpu_seconds.toFixed(1)} s of processor time`,
        `${shownSize(peak_memory_bytes)} of memory`,
        `${shownSize(output_bytes)} of output`,
      ];
      return `  ${STAGE_TITLES[stage.stage]}: ${[stageVerdict(stage), ...(stage.cached ? [] : used)].join(", ")}`;
    }),
    `limits in force, by ${sandbox} on ${grader} (kernel ${kernel}):`,
    ...enforced.map((limit) => `  ${limit}`),
  ];
}
