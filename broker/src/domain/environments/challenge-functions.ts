import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

/** The function that steps a stored session of an environment again. */
export const REPLAY = "replay";

/** Returns the functions that participants may name: those of the evaluator, or of an environment. */
export function functionsOf({
  evaluator,
  environment,
  check,
}: Pick<ChallengeConfig, "evaluator" | "environment" | "check">): readonly string[] {
  if (environment) return ["submit", REPLAY];
  const { functions } = evaluator;
  return check?.function && !functions.includes(check.function) ? [...functions, check.function] : functions;
}
