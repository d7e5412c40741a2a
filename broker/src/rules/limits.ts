import { CrowdaiError, type Limits } from "@crowdai/shared";
import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { iso } from "../clock.ts";
import type { Db } from "../records/records.ts";

const HOUR = 3_600_000;
const WINDOW = { day: 24 * HOUR, week: 7 * 24 * HOUR } as const;

/**
 * Slots and running submissions of a participant. Day and week are sliding windows over all rounds of the challenge;
 * "round" counts the round's own, without what came after its end. A slot counts from the moment the intent arrived,
 * unless it was returned.
 */
export async function readLimits(
  db: Db,
  config: ChallengeConfig,
  round: RoundConfig | null,
  participantId: number,
  now: Date,
): Promise<Limits> {
  const slots = round?.limit
    ? await usedSlots(db, config.id, round, participantId, now)
    : { used: 0, nextAt: null };
  const { running } = await db
    .selectFrom("submissions")
    .select(sql<number>`count(*)`.as("running"))
    .where("participant_id", "=", participantId)
    .where("challenge", "=", config.id)
    .where("function", "=", "submit")
    .where("state", "in", ["initiated", "submitted", "grading"])
    .executeTakeFirstOrThrow();
  return {
    challenge: config.id,
    round: round?.id ?? null,
    limit: round?.limit ?? null,
    used: slots.used,
    remaining: round?.limit ? Math.max(0, round.limit.count - slots.used) : null,
    next_at: slots.nextAt,
    parallel_limit: round?.parallel_limit ?? null,
    running: Number(running),
    ends_at: round?.ends_at ?? null,
  };
}

async function usedSlots(db: Db, challenge: string, round: RoundConfig, participantId: number, now: Date) {
  const per = round.limit?.per ?? "round";
  const counted = db
    .selectFrom("slots")
    .where("participant_id", "=", participantId)
    .where("challenge", "=", challenge)
    .where("state", "in", ["reserved", "charged"]);
  const within =
    per === "round"
      ? counted.where("round", "=", round.id).where("post_challenge", "=", 0)
      : counted.where("reserved_at", ">", iso(now.getTime() - WINDOW[per]));
  const { used, oldest } = await within
    .select([sql<number>`count(*)`.as("used"), sql<string | null>`min(reserved_at)`.as("oldest")])
    .executeTakeFirstOrThrow();
  const nextAt = oldest && per !== "round" ? iso(Date.parse(oldest) + WINDOW[per]) : null;
  return { used: Number(used), nextAt };
}

/** Throws parallel_limit or no_slots (naming when the next slot comes) when another submission would be one too many. */
export function requireSlot(limits: Limits): void {
  if (limits.parallel_limit !== null && limits.running >= limits.parallel_limit)
    throw new CrowdaiError(
      "parallel_limit",
      `You have ${limits.running} submission${limits.running === 1 ? "" : "s"} that wait for a grade; ${limits.challenge} allows ${limits.parallel_limit} at once.`,
      { details: { running: limits.running, parallel_limit: limits.parallel_limit } },
    );
  if (limits.limit !== null && limits.remaining !== null && limits.remaining < 1) {
    const when = limits.next_at ? ` The next slot comes at ${limits.next_at}.` : " This round gives no more.";
    throw new CrowdaiError(
      "no_slots",
      `You have used all ${limits.limit.count} submissions a ${limits.limit.per} of ${limits.challenge}.${when}`,
      { details: { limit: limits.limit, used: limits.used, next_at: limits.next_at } },
    );
  }
}
