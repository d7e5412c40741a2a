import { roundScore } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import { countBefore, isBefore, type SortKey } from "./board-blocks.ts";
import { type BoardPlace, COUNTS, countsLate, RANKED } from "./boards.ts";
import { moveCount } from "./update-blocks.ts";

export type { Board } from "./boards.ts";

/** A missing score sorts behind every score, in both directions. */
export const LAST = Number.MAX_VALUE;

type ScoreRule = ChallengeConfig["score"];

/**
 * Returns the sort keys of a grade: rounded, and negated for a descending order, so that the smallest key is
 * the best.
 */
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

/** Returns the sort keys of a baseline, whose scores are not rounded. */
export function rawKeys(
  config: Pick<ChallengeConfig, "score" | "score_secondary">,
  score: number | null,
  secondary: number | null,
): { sort_primary: number; sort_secondary: number } {
  return {
    sort_primary: directed(config.score, score),
    sort_secondary: config.score_secondary ? directed(config.score_secondary, secondary) : 0,
  };
}

const key = (rule: ScoreRule, score: number | null): number =>
  directed(rule, score === null ? null : roundScore(score, rule.precision));

function directed(rule: ScoreRule, score: number | null): number {
  if (score === null) return LAST;
  return rule.order === "descending" && score !== 0 ? -score : score;
}

/** Returns the score that a sort key stands for. */
export function shownScore(rule: ScoreRule, sortKey: number): number | null {
  if (sortKey === LAST) return null;
  return rule.order === "descending" && sortKey !== 0 ? -sortKey : sortKey;
}

type StandingPlace = BoardPlace & { participantId: number };

/** A participant's place on a board; `until` is the window boundary of a previous board. */
export interface Place extends StandingPlace {
  until: string | null;
  /**
   * The only change: a submission graded for the first time, of a participant who counts. Without it, all of
   * the participant's submissions are considered.
   */
  fresh?: Standing;
}

export interface Movement {
  rank: number | null;
  rankBefore: number | null;
  /** Submission that holds the participant's place now. */
  submission: string | null;
}

interface Change {
  before: Standing | null;
  best: Standing | null;
}

/**
 * Rebuilds one participant's standing from the graded submissions. Called in the transaction that changes one
 * of them, after it locked the round's boards. Ties go to the earlier submission, then to the lower number,
 * within a participant and between participants.
 */
export async function updateStanding(trx: Db, place: Place): Promise<void> {
  await writeChange(trx, place, await readChange(trx, place));
}

/** Updates a standing, and returns how the participant moved. */
export async function moveStanding(trx: Db, place: Place): Promise<Movement> {
  const change = await readChange(trx, place);
  const { before, best } = change;
  const keys = [before, best].filter((key) => key !== null);
  const counts = await countBefore(trx, place, isMoved(change) ? keys : keys.slice(0, 1));
  await writeChange(trx, place, change);
  const rankBefore = before ? counts[0]! + 1 : null;
  const submission = best?.submission ?? null;
  if (!isMoved(change)) return { rank: rankBefore, rankBefore, submission };
  // Counted while it was still in its old place.
  const rank = best ? counts.at(-1)! + (before && isBefore(before, best) ? 0 : 1) : null;
  return { rank, rankBefore, submission };
}

/** Puts a participant's best at its place on a board; null takes them off it. */
export async function putBest(trx: Db, place: StandingPlace, best: Standing | null): Promise<void> {
  await writeChange(trx, place, { before: await standingOf(trx, place), best });
}

async function readChange(db: Db, place: Place): Promise<Change> {
  const before = await standingOf(db, place);
  const { fresh } = place;
  if (fresh === undefined) return { before, best: await bestOf(db, place) };
  return { before, best: before && !isBefore(fresh, before) ? before : fresh };
}

function isMoved({ before, best }: Change): boolean {
  if (!before || !best) return before !== best;
  return isBefore(before, best) || isBefore(best, before);
}

async function writeChange(trx: Db, place: StandingPlace, change: Change): Promise<void> {
  if (!isMoved(change)) return;
  const { before, best } = change;
  await writeStanding(trx, place, best);
  await moveCount(trx, place, before, best);
}

export interface Standing extends SortKey {
  submission: string;
}

async function standingOf(db: Db, place: StandingPlace): Promise<Standing | null> {
  const { challenge, round, board, participantId: participant_id } = place;
  return (await ownStanding(db, { challenge, round, board, participant_id })) ?? null;
}

/** Returns the standing of a participant on a board. */
export const ownStanding = lookup(
  (db, { challenge, round, board, participant_id }: BoardPlace & { participant_id: number }) =>
    db
      .selectFrom("standings")
      .select(["submission", "sort_primary", "sort_secondary", "submitted_at", "submission_number"])
      .where("challenge", "=", challenge)
      .where("round", "=", round)
      .where("board", "=", board)
      .where("participant_id", "=", participant_id),
);

async function bestOf(db: Db, place: Place): Promise<Standing | null> {
  const best = await db
    .selectFrom("submissions")
    .select(["id", "number", "created_at", "sort_primary", "sort_secondary"])
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("participant_id", "=", place.participantId)
    .where(RANKED)
    .where(COUNTS)
    .$if(!countsLate(place.board), (query) => query.where("post_challenge", "=", 0))
    .$if(place.until !== null, (query) => query.where("created_at", "<=", place.until as string))
    .orderBy("sort_primary")
    .orderBy("sort_secondary")
    .orderBy("created_at")
    .orderBy("number")
    .limit(1)
    .executeTakeFirst();
  return best
    ? {
        submission: best.id,
        submission_number: best.number,
        submitted_at: best.created_at,
        sort_primary: best.sort_primary ?? LAST,
        sort_secondary: best.sort_secondary ?? LAST,
      }
    : null;
}

const putStanding = statement(
  (
    trx,
    { challenge, round, board, participant_id, ...best }: BoardPlace & { participant_id: number } & Standing,
  ) =>
    trx
      .insertInto("standings")
      .values({ challenge, round, board, participant_id, ...best })
      .onConflict((conflict) =>
        conflict.columns(["challenge", "round", "board", "participant_id"]).doUpdateSet(best),
      ),
);

async function writeStanding(trx: Db, place: StandingPlace, best: Standing | null): Promise<void> {
  const { challenge, round, board, participantId } = place;
  if (best) await putStanding(trx, { challenge, round, board, participant_id: participantId, ...best });
  else
    await trx
      .deleteFrom("standings")
      .where("challenge", "=", challenge)
      .where("round", "=", round)
      .where("board", "=", board)
      .where("participant_id", "=", participantId)
      .execute();
}
