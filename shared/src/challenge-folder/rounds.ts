import { CrowdaiError } from "../protocol/errors.ts";
import type { ChallengeConfig, RoundConfig } from "./challenge-config.ts";

export type RoundState = "upcoming" | "open" | "ended";

/** Rounds in order of start; one without a start comes first, equal ones stay as they were written. */
export function sortByStart<R extends { starts_at: string | null }>(rounds: readonly R[]): R[] {
  return [...rounds].sort((a, b) => startOf(a) - startOf(b));
}

/** A round's number, from 1 in order of start. Throws round_unknown. */
export function roundNumber(config: ChallengeConfig, id: string): number {
  const index = sortByStart(config.rounds).findIndex((round) => round.id === id);
  if (index < 0) throw new CrowdaiError("round_unknown", `${config.id} has no round "${id}".`);
  return index + 1;
}

/** A round takes submissions from its start to its end, both moments included. */
export function roundState(round: RoundConfig, now: Date): RoundState {
  if (now.getTime() < startOf(round)) return "upcoming";
  return round.ends_at !== null && now.getTime() > Date.parse(round.ends_at) ? "ended" : "open";
}

/** The round that is open at a moment; of several, the one that started last. */
export function openRound(config: ChallengeConfig, now: Date): RoundConfig | null {
  return sortByStart(config.rounds).findLast((round) => roundState(round, now) === "open") ?? null;
}

/**
 * The round that a submission made at a moment belongs to: the open one, else (with `after_end: "accept"`) the last that
 * ended, as a post-challenge submission. Null when none takes it.
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
