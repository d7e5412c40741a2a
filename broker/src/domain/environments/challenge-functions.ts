import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

/** The function that steps a stored session of an environment again. */
export const REPLAY = "replay";

/** Returns the functions that participants may name: those of the evaluator, or of an environment. */
export function functionsOf({
  evaluator,
  environment,
}: Pick<ChallengeConfig, "evaluator" | "environment">): readonly string[] {
  return environment ? ["submit", REPLAY] : evaluator.functions;
}
