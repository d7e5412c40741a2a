import { CrowdaiError } from "@crowdai/shared";
import {
  type ChallengeConfig,
  openRound,
  type RoundConfig,
  roundNumber,
  roundState,
} from "@crowdai/shared/challenge-folder";

export interface TargetRound {
  round: RoundConfig;
  /** From 1, in order of start. */
  number: number;
  /** Whether the submission arrives after the round's end, in a challenge that accepts such submissions. */
  postChallenge: boolean;
}

/** Finds a round by its id or its number. Throws round_unknown. */
export function findRound(config: ChallengeConfig, wanted: string): RoundConfig {
  const found =
    config.rounds.find((round) => round.id === wanted) ??
    config.rounds.find((round) => String(roundNumber(config, round.id)) === wanted);
  if (found) return found;
  const known = config.rounds.map((round) => `"${round.id}"`).join(", ");
  throw new CrowdaiError(
    "round_unknown",
    `${config.id} has no round "${wanted.slice(0, 100)}"; it has ${known}.`,
  );
}

/**
 * Returns the round of a submission that arrives at `arrival`: the requested one, else the open one, else
 * (with `after_end: "accept"`) the last that ended. Throws round_unknown and round_not_open, which says when
 * the next one opens.
 */
export function targetRound(config: ChallengeConfig, wanted: string | null, arrival: Date): TargetRound {
  const round =
    wanted === null ? (openRound(config, arrival) ?? lastEnded(config, arrival)) : findRound(config, wanted);
  if (round) {
    const state = roundState(round, arrival);
    const target = { round, number: roundNumber(config, round.id) };
    if (state === "open") return { ...target, postChallenge: false };
    if (state === "ended" && config.after_end === "accept") return { ...target, postChallenge: true };
  }
  throw new CrowdaiError("round_not_open", notOpen(config, round, arrival), {
    details: { starts_at: round?.starts_at ?? null, ends_at: round?.ends_at ?? null },
  });
}

function lastEnded(config: ChallengeConfig, now: Date): RoundConfig | undefined {
  return config.rounds.filter((round) => roundState(round, now) === "ended").at(-1);
}

function notOpen(config: ChallengeConfig, round: RoundConfig | undefined, now: Date): string {
  const subject = round ? `Round "${round.id}" of ${config.id}` : `${config.id}`;
  if (round && roundState(round, now) === "ended")
    return `${subject} ended at ${round.ends_at}.${nextStart(config, now)}`;
  if (round) return `${subject} opens at ${round.starts_at}.`;
  return `No round of ${config.id} is open.${nextStart(config, now)}`;
}

function nextStart(config: ChallengeConfig, now: Date): string {
  const next = config.rounds.find((round) => roundState(round, now) === "upcoming");
  return next ? ` The next one, "${next.id}", opens at ${next.starts_at}.` : "";
}
