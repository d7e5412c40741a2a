import type { PublicChallenge } from "@crowdai/shared";
import { timeText } from "./time.ts";

/** Returns the open round of a challenge, or when it opens, ended or was closed. */
export function roundText(
  challenge: Pick<PublicChallenge, "round" | "rounds" | "opens_at" | "closed_at">,
  time: (iso: string) => string = timeText,
): string {
  const { round, closed_at, rounds } = challenge;
  if (closed_at !== null) return `closed on ${time(closed_at)}`;
  if (round !== null) return round;
  // A broker of an earlier version names only the start of each round.
  const opensAt = challenge.opens_at ?? rounds.find(({ state }) => state === "upcoming")?.starts_at ?? null;
  if (opensAt !== null) return `opens on ${time(opensAt)}`;
  const endedAt = rounds.findLast(({ state }) => state === "ended")?.ends_at ?? null;
  return endedAt === null ? "ended" : `ended on ${time(endedAt)}`;
}

/** Says which submissions a limit counts, where that is not the round's own alone. */
export function scopeText(
  limit: { per: string; scope?: "challenge" | "round" } | null,
  rounds: number,
): string | null {
  if (!limit || limit.per === "round" || rounds < 2) return null;
  return limit.scope === "round" ? "this round only" : "across all rounds";
}
