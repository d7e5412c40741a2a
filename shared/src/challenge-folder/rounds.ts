import { CrowdaiError } from "../protocol/errors.ts";
import type { ChallengeConfig, RoundConfig } from "./challenge-config.ts";

export type RoundState = "upcoming" | "open" | "ended";
/** Upcoming: no round is open, and one follows. */
export type ChallengeState = RoundState | "closed";

/** Sorts rounds by start. Rounds without a start come first, and equal ones keep their order. */
export function sortByStart<R extends { starts_at: string | null }>(rounds: readonly R[]): R[] {
  return [...rounds].sort((a, b) => startOf(a) - startOf(b));
}

/** Returns the number of a round, starting at 1, in order of start. Throws round_unknown. */
export function roundNumber(config: ChallengeConfig, id: string): number {
  const index = sortByStart(config.rounds).findIndex((round) => round.id === id);
  if (index < 0) throw new CrowdaiError("round_unknown", `${config.id} has no round "${id}".`);
  return index + 1;
}

/** Returns the state of a round. It is open from its start to its end, both included. */
export function roundState(round: RoundConfig, now: Date): RoundState {
  if (now.getTime() < startOf(round)) return "upcoming";
  return round.ends_at !== null && now.getTime() > Date.parse(round.ends_at) ? "ended" : "open";
}

/** Returns the open round, the one that started last when several are open, or null. */
export function openRound(config: ChallengeConfig, now: Date): RoundConfig | null {
  return sortByStart(config.rounds).findLast((round) => roundState(round, now) === "open") ?? null;
}

/** Returns whether a limit counts the submissions to all rounds of the challenge, or to its own round. */
export function limitScope({ per, scope }: NonNullable<RoundConfig["limit"]>): "challenge" | "round" {
  return scope ?? (per === "round" ? "round" : "challenge");
}

/** Returns the state of a challenge, and when its next round opens if none is open. */
export function challengeState(
  { rounds }: Pick<ChallengeConfig, "rounds">,
  isClosed: boolean,
  now: Date,
): { state: ChallengeState; opens_at: string | null } {
  if (isClosed) return { state: "closed", opens_at: null };
  if (rounds.some((round) => roundState(round, now) === "open")) return { state: "open", opens_at: null };
  const next = sortByStart(rounds).find((round) => roundState(round, now) === "upcoming");
  return next ? { state: "upcoming", opens_at: next.starts_at } : { state: "ended", opens_at: null };
}

/**
 * Returns the round for a submission made at `now`: the open one or, with `after_end: "accept"`, the one that
 * ended last, as a post-challenge submission. Null when no round accepts it.
 */
export function acceptingRound(
  config: ChallengeConfig,
  now: Date,
): { round: RoundConfig; post_challenge: boolean } | null {
  const open = openRound(config, now);
  if (open) return { round: open, post_challenge: false };
  if (config.after_end !== "accept") return null;
  const ended = sortByStart(config.rounds).findLast((round) => roundState(round, now) === "ended");
  return ended ? { round: ended, post_challenge: true } : null;
}

function startOf({ starts_at }: { starts_at: string | null }): number {
  return starts_at === null ? Number.NEGATIVE_INFINITY : Date.parse(starts_at);
}
