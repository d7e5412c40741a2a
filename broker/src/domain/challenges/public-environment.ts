import type { PublicChallenge } from "@crowdai/shared";
import type { ChallengeConfig, EnvironmentConfig } from "@crowdai/shared/challenge-folder";
import type { Records } from "../../records/records.ts";
import type { SeedsOf } from "../environments/session-seeds.ts";
import { areSeedsShown } from "./are-seeds-shown.ts";

type PublicEnvironment = NonNullable<PublicChallenge["environment"]>;

/** Whether a challenge is closed, and its seeds. */
export interface SeedSources {
  records: Pick<Records, "db">;
  seedsOf: SeedsOf;
}

/**
 * Describes an environment that agents step, without its private files. Its seeds are public once the
 * challenge is closed and played to the end.
 */
export async function publicEnvironment(
  { records, seedsOf }: SeedSources,
  config: ChallengeConfig,
): Promise<PublicEnvironment | null> {
  if (!config.environment) return null;
  const isShown = await areSeedsShown(records.db, config.id);
  return describe(config.environment, isShown ? publicSeeds(config, seedsOf) : null);
}

/** The seeds of each round; null when each submission has its own, or only graders know them. */
function publicSeeds(config: ChallengeConfig, seedsOf: SeedsOf): PublicEnvironment["seeds"] {
  const { environment, id: challenge, rounds } = config;
  if (!environment || !("count" in environment.seeds) || environment.seeds.per === "submission") return null;
  return rounds.map(({ id: round }) => ({
    round,
    seeds: seedsOf(config, { id: "", challenge, round }) ?? [],
  }));
}

function describe(environment: EnvironmentConfig, shown: PublicEnvironment["seeds"]): PublicEnvironment {
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
    seeds: shown,
  };
}
