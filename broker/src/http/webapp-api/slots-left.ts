import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import { readLimits } from "../../domain/rules/limits.ts";
import type { Db } from "../../records/records.ts";

/**
 * The slots left, as responses report them. The reset time has two names: the original used one to create,
 * one to update.
 */
export interface SlotsLeft {
  /** Null without a limit, or when it is not known yet. */
  submissions_remaining: number | null;
  /** When the next slot becomes free, as `2017-10-30 22:02:02 UTC`. */
  reset_dttm: string | null;
  reset_date: string | null;
}

export const UNKNOWN: SlotsLeft = { submissions_remaining: null, reset_dttm: null, reset_date: null };

export async function readSlotsLeft(
  db: Db,
  config: ChallengeConfig,
  round: RoundConfig | null,
  participantId: number,
  now: Date,
): Promise<SlotsLeft> {
  const { remaining, next_at } = await readLimits(db, config, round, participantId, now);
  const reset = next_at && `${next_at.slice(0, 10)} ${next_at.slice(11, 19)} UTC`;
  return { submissions_remaining: remaining, reset_dttm: reset, reset_date: reset };
}
