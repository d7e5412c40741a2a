import {
  type ChallengeConfig,
  openRound,
  type RoundConfig,
  roundState,
} from "@crowdai/shared/challenge-folder";

/**
 * Returns the round whose rules apply: the open one, or else the last that ended. Null before the first one
 * starts.
 */
export function currentRound(config: ChallengeConfig, now: Date): RoundConfig | null {
  return (
    openRound(config, now) ?? config.rounds.findLast((round) => roundState(round, now) === "ended") ?? null
  );
}

/**
 * Whether a submission made now is after the end of the current round. A sent `true` or `false` overrides the
 * dates.
 */
export function isPostChallenge(round: RoundConfig, now: Date, sent: unknown): boolean {
  if (sent === "true" || sent === "false") return sent === "true";
  return round.ends_at !== null && now.getTime() > Date.parse(round.ends_at);
}
