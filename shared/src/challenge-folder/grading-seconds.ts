import type { ChallengeConfig } from "./challenge-config.ts";
import type { EnvironmentConfig } from "./environment-config.ts";

/** The longest time that the grading of one submission may take, over all its stages. */
export function gradingSeconds(config: Pick<ChallengeConfig, "evaluator" | "run" | "environment">): number {
  const { evaluator, run, environment } = config;
  if (environment) return environmentSeconds(environment, evaluator.timeout_seconds);
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

/** Seeds of a file are counted by the grader; this many are assumed. */
const MAX_LISTED_EPISODES = 100;

/**
 * A build, every episode, and as much again for one replay, and the wait for an agent between the episodes.
 */
function environmentSeconds({ seeds, limits, code }: EnvironmentConfig, timeoutSeconds: number): number {
  const episodes = "count" in seeds ? seeds.count : MAX_LISTED_EPISODES;
  const build = code.build === null ? 0 : code.limits.build_seconds;
  const each = 2 * (limits.episode_seconds + limits.reset_seconds) + limits.idle_seconds;
  return build + episodes * each + timeoutSeconds;
}
