import type { ChallengeConfig } from "./challenge-config.ts";

/** The longest time that the grading of one submission may take, over all its stages. */
export function gradingSeconds({ evaluator, run }: Pick<ChallengeConfig, "evaluator" | "run">): number {
  if (!run) return evaluator.timeout_seconds;
  const { build_seconds, wall_seconds } = run.limits;
  const stages = [
    run.build === null ? 0 : build_seconds,
    run.sample === null ? 0 : wall_seconds,
    wall_seconds,
    evaluator.timeout_seconds,
  ];
  return stages.reduce((sum, seconds) => sum + seconds);
}
