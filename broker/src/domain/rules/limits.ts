import { CrowdaiError, type Limits } from "@crowdai/shared";
import {
  type ChallengeConfig,
  challengeState,
  limitScope,
  type RoundConfig,
  roundState,
} from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import { findClosure } from "../challenges/find-closure.ts";

const HOUR = 3_600_000;
const WINDOW = { day: 24 * HOUR, week: 7 * 24 * HOUR } as const;

/**
 * Returns a participant's slots and running submissions. Day and week are sliding windows over all rounds of
 * the challenge, or with scope "round" over the round's own submissions; "round" counts these except those
 * after its end. An open round of a closed challenge takes no submissions. A slot counts from
 * the arrival of the intent, unless it was returned.
 */
export async function readLimits(
  db: Db,
  config: ChallengeConfig,
  wanted: RoundConfig | null,
  participantId: number,
  now: Date,
): Promise<Omit<Limits, "graders" | "waiting">> {
  const closure = await findClosure(db, config.id);
  const round = closure && wanted && roundState(wanted, now) === "open" ? null : wanted;
  const slots = round?.limit
    ? await usedSlots(db, config.id, round.id, round.limit, participantId, now)
    : { used: 0, elsewhere: 0, nextAt: null };
  return {
    challenge: config.id,
    round: round?.id ?? null,
    limit: round?.limit ? { ...round.limit, scope: limitScope(round.limit) } : null,
    used: slots.used,
    used_in_other_rounds: slots.elsewhere,
    remaining: round?.limit ? Math.max(0, round.limit.count - slots.used) : null,
    next_at: slots.nextAt,
    parallel_limit: round?.parallel_limit ?? null,
    ...(await countRunning(db, config.id, participantId)),
    ends_at: round?.ends_at ?? null,
    opens_at: challengeState(config, closure !== null, now).opens_at,
    closed_at: closure?.closed_at ?? null,
  };
}

async function usedSlots(
  db: Db,
  challenge: string,
  round: string,
  limit: NonNullable<RoundConfig["limit"]>,
  participantId: number,
  now: Date,
) {
  const { per } = limit;
  const [counted] = await countSlots(db, {
    participantId,
    challenge,
    round,
    own: limitScope(limit) === "round" ? round : undefined,
    since: per === "round" ? undefined : iso(now.getTime() - WINDOW[per]),
  });
  const { used, elsewhere, oldest } = counted!;
  const nextAt = oldest && per !== "round" ? iso(Date.parse(oldest) + WINDOW[per]) : null;
  return { used: Number(used), elsewhere: Number(elsewhere), nextAt };
}

interface CountedSlots {
  participantId: number;
  challenge: string;
  round: string;
  /** Counts those of this round only. */
  own: string | undefined;
  /** Counts those reserved since; undefined counts those of the challenge's own time. */
  since: string | undefined;
}

const countSlots = statement((db, { participantId, challenge, round, own, since }: CountedSlots) => {
  const counted = db
    .selectFrom("slots")
    .where("participant_id", "=", participantId)
    .where("challenge", "=", challenge)
    .where("state", "in", ["reserved", "charged"]);
  const inScope = own === undefined ? counted : counted.where("round", "=", own);
  const within =
    since === undefined ? inScope.where("post_challenge", "=", 0) : inScope.where("reserved_at", ">", since);
  return within.select([
    sql<number>`count(*)`.as("used"),
    sql<number>`coalesce(sum(case when round = ${round} then 0 else 1 end), 0)`.as("elsewhere"),
    sql<string | null>`min(reserved_at)`.as("oldest"),
  ]);
});

/**
 * Throws parallel_limit or no_slots (with the time of the next slot) when another submission would exceed a
 * limit. Queries only what the round limits.
 */
export async function requireSlot(
  db: Db,
  { id: challenge }: ChallengeConfig,
  round: RoundConfig,
  participantId: number,
  now: Date,
): Promise<void> {
  await requireParallel(db, { id: challenge }, round, participantId);
  const { limit } = round;
  if (limit === null) return;
  const { used, elsewhere, nextAt } = await usedSlots(db, challenge, round.id, limit, participantId, now);
  if (used < limit.count) return;
  const others = elsewhere > 0 ? ` (${elsewhere} of them in other rounds)` : "";
  const when = nextAt ? ` The next slot is free at ${nextAt}.` : " This round has no more slots.";
  throw new CrowdaiError(
    "no_slots",
    `You have used all ${limit.count} submissions per ${limit.per} for ${challenge}${others}.${when}`,
    { details: { limit, used, used_in_other_rounds: elsewhere, next_at: nextAt } },
  );
}

/**
 * Throws parallel_limit when too many submissions of the participant are unfinished. Dry runs count, and are
 * limited, like others.
 */
export async function requireParallel(
  db: Db,
  { id: challenge }: Pick<ChallengeConfig, "id">,
  { parallel_limit: atOnce }: RoundConfig,
  participantId: number,
): Promise<void> {
  if (atOnce === null) return;
  const { running, uploading } = await countRunning(db, challenge, participantId);
  if (running < atOnce) return;
  const waiting = running - uploading;
  const states = [uploading && `${uploading} being uploaded`, waiting && `${waiting} waiting for a grade`];
  throw new CrowdaiError(
    "parallel_limit",
    `${running} of your submissions ${running === 1 ? "is" : "are"} unfinished (${states.filter(Boolean).join(", ")}); ${challenge} allows ${atOnce} at a time.`,
    { details: { running, uploading, parallel_limit: atOnce } },
  );
}

async function countRunning(
  db: Db,
  challenge: string,
  participantId: number,
): Promise<{ running: number; uploading: number }> {
  const { running, uploading } = await db
    .selectFrom("submissions")
    .select([
      sql<number>`count(*)`.as("running"),
      sql<number>`coalesce(sum(case when state = 'initiated' then 1 else 0 end), 0)`.as("uploading"),
    ])
    .where("participant_id", "=", participantId)
    .where("challenge", "=", challenge)
    .where("state", "in", ["initiated", "submitted", "grading"])
    .where("function", "=", "submit")
    // A submission that an external grader marked as initiated blocks no one: the grader did so to free its
    // place.
    .where((eb) => eb.or([eb("outside_status", "is", null), eb("outside_status", "!=", "initiated")]))
    .executeTakeFirstOrThrow();
  return { running: Number(running), uploading: Number(uploading) };
}
