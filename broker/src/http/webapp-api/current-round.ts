import {
  type ChallengeConfig,
  openRound,
  type RoundConfig,
  roundState,
} from "@crowdai/shared/challenge-folder";

/** The round that rules are read from: the open one, else the last that ended. Null before the first has begun. */
export function currentRound(config: ChallengeConfig, now: Date): RoundConfig | null {
  return (
    openRound(config, now) ?? config.rounds.findLast((round) => roundState(round, now) === "ended") ?? null
  );
}

/** Whether a submission made now comes after the end of the current round. `true` and `false`, sent as such, decide it instead. */
export function isPostChallenge(round: RoundConfig, now: Date, sent: unknown): boolean {
  if (sent === "true" || sent === "false") return sent === "true";
  return round.ends_at !== null && now.getTime() > Date.parse(round.ends_at);
}
