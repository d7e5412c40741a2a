import type { RunStage, StageRecord } from "@crowdai/shared";

/** The titles of the stages on pages and in messages. */
export const STAGE_TITLES: Record<RunStage, string> = {
  build: "Build",
  sample: "Sample",
  run: "Private input",
  play: "Play",
  evaluate: "Evaluator",
};

/** Returns how a stage ended, for people. */
export function stageVerdict(stage: StageRecord): string {
  if (stage.cached) return "from an earlier build";
  switch (stage.ended) {
    case "exit":
      return stage.exit_code === 0 ? "passed" : `exit code ${stage.exit_code}`;
    case "signal":
      return "ended by a signal";
    case "wall":
      return "time limit";
    case "cpu":
      return "processor time limit";
    case "memory":
      return "memory limit";
    case "output":
      return "output limit";
    case "killed":
      return "stopped";
  }
}
