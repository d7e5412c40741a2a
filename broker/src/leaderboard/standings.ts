import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../records/records.ts";
import { roundScore } from "./rounding.ts";

export type Board = "current" | "ongoing";

/** What has no score sorts behind everything that has one, in both directions. */
const LAST = Number.MAX_VALUE;

type ScoreRule = ChallengeConfig["score"];

/** Sort keys of a grade: rounded, and turned round for a descending order, so that the smallest key is the best. */
export function sortKeys(
  config: Pick<ChallengeConfig, "score" | "score_secondary">,
  score: number | null,
  secondary: number | null,
): { sort_primary: number; sort_secondary: number } {
  return {
    sort_primary: key(config.score, score),
    sort_secondary: config.score_secondary ? key(config.score_secondary, secondary) : 0,
  };
}

function key(rule: ScoreRule, score: number | null): number {
  if (score === null) return LAST;
  const shown = roundScore(score, rule.precision);
  return rule.order === "descending" && shown !== 0 ? -shown : shown;
}

/** The score that stands behind a sort key. */
export function shownScore(rule: ScoreRule, sortKey: number): number | null {
  if (sortKey === LAST) return null;
  return rule.order === "descending" && sortKey !== 0 ? -sortKey : sortKey;
}

interface Place {
  challenge: string;
  round: string;
  board: Board;
  participantId: number;
}

export interface Movement {
  rank: number | null;
  rankBefore: number | null;
  /** Submission that holds the participant's place now. */
  submission: string | null;
}

/**
 * Makes one participant's standing anew from the graded submissions: called in the transaction that changes one of them.
 * Ties go to the earlier submission, then to the lower number, within a participant and between participants.
 */
export async function updateStanding(db: Db, place: Place): Promise<Movement> {
  const before = await standingOf(db, place);
  const best = await db
    .selectFrom("submissions")
    .select(["id", "number", "created_at", "sort_primary", "sort_secondary"])
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("participant_id", "=", place.participantId)
    .where("function", "=", "submit")
    .where("dry_run", "=", 0)
    .where("baseline", "=", 0)
    .where("state", "=", "graded")
    .$if(place.board === "current", (query) => query.where("post_challenge", "=", 0))
    .orderBy("sort_primary")
    .orderBy("sort_secondary")
    .orderBy("created_at")
    .orderBy("number")
    .limit(1)
    .executeTakeFirst();
  if (
    before &&
    best?.id === before.submission &&
    best.sort_primary === before.sort_primary &&
    best.sort_secondary === before.sort_secondary
  ) {
    const rank = await rankOf(db, place, before);
    return { rank, rankBefore: rank, submission: best.id };
  }
  const rankBefore = before && (await rankOf(db, place, before));
  if (!best) {
    await db
      .deleteFrom("standings")
      .where("challenge", "=", place.challenge)
      .where("round", "=", place.round)
      .where("board", "=", place.board)
      .where("participant_id", "=", place.participantId)
      .execute();
    return { rank: null, rankBefore, submission: null };
  }
  const row = {
    submission: best.id,
    submission_number: best.number,
    submitted_at: best.created_at,
    sort_primary: best.sort_primary ?? LAST,
    sort_secondary: best.sort_secondary ?? LAST,
  };
  await db
    .insertInto("standings")
    .values({
      challenge: place.challenge,
      round: place.round,
      board: place.board,
      participant_id: place.participantId,
      ...row,
    })
    .onConflict((conflict) =>
      conflict.columns(["challenge", "round", "board", "participant_id"]).doUpdateSet(row),
    )
    .execute();
  return { rank: await rankOf(db, place, row), rankBefore, submission: best.id };
}

interface Standing {
  submission: string;
  sort_primary: number;
  sort_secondary: number;
  submitted_at: string;
  submission_number: number;
}

async function standingOf(db: Db, place: Place): Promise<Standing | null> {
  const row = await db
    .selectFrom("standings")
    .select(["submission", "sort_primary", "sort_secondary", "submitted_at", "submission_number"])
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("board", "=", place.board)
    .where("participant_id", "=", place.participantId)
    .executeTakeFirst();
  return row ?? null;
}

/** One more than the number of better standings. */
async function rankOf(db: Db, place: Omit<Place, "participantId">, mine: Standing): Promise<number> {
  const { better } = await db
    .selectFrom("standings")
    .select(sql<number>`count(*)`.as("better"))
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("board", "=", place.board)
    .where(
      sql<boolean>`(sort_primary, sort_secondary, submitted_at, submission_number) < (${mine.sort_primary}, ${mine.sort_secondary}, ${mine.submitted_at}, ${mine.submission_number})`,
    )
    .executeTakeFirstOrThrow();
  return Number(better) + 1;
}
