import type { PublicChallenge } from "@crowdai/shared";
import type { EnvironmentConfig } from "@crowdai/shared/challenge-folder";

/** Describes an environment that agents step, without its private files and seeds. */
export function publicEnvironment(
  environment: EnvironmentConfig,
): NonNullable<PublicChallenge["environment"]> {
  const { agents, seeds, score, limits, reward_visible, code, old_clients } = environment;
  return {
    agents,
    episodes: "count" in seeds ? seeds.count : null,
    score,
    limits,
    reward_visible,
    command: code.command === "submission" ? null : code.command,
    code_limits: code.limits,
    env_id: old_clients?.env_id ?? null,
    seeds: null,
  };
}
