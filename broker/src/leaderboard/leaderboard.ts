import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { type Kysely, sql } from "kysely";
import { type Db, readTogether } from "../records/records.ts";
import type { Tables } from "../records/tables.ts";
import { type Baseline, readBaselines } from "./baselines.ts";
import { countBefore, readBlocks, type SortKey, standingsFrom, standingsIn, startOf } from "./blocks.ts";
import { type Board, type BoardPlace, boardBefore, countsLate, isPrevious } from "./boards.ts";
import { shownScore } from "./standings.ts";

export interface BoardQuery {
  round: string;
  board: Board;
  limit: number;
  offset: number;
  /** The participant whose row is marked as theirs. */
  viewer: number | null;
}

type Row = Leaderboard["rows"][number];

/**
 * A page of a round's board: one row a participant, the best graded submission, ranks without gaps, and the baselines among them by
 * their scores. All of it is of one moment.
 */
export function readLeaderboard(
  db: Kysely<Tables>,
  config: ChallengeConfig,
  query: BoardQuery,
): Promise<Leaderboard> {
  return readTogether(db, async (trx) => {
    const place = { challenge: config.id, round: query.round, board: query.board };
    const blocks = await readBlocks(trx, place);
    const baselines = await readBaselines(trx, config, place, blocks);
    const { offset, limit } = query;
    const above = baselines.filter(({ position }) => position < offset).length;
    const shown = baselines.filter(({ position }) => position >= offset && position < offset + limit);
    const first = offset - above;
    const { from, skip } = startOf(blocks, first);
    const standings =
      blocks.length === 0
        ? []
        : await standingsFrom(trx, place, from)
            .offset(skip)
            .limit(limit - shown.length)
            .execute();
    const rows = await participantRows(trx, config, query, standings, first);
    for (const baseline of shown) rows.splice(baseline.position - offset, 0, baselineRow(config, baseline));
    return {
      challenge: config.id,
      round: query.round,
      board: query.board,
      score: config.score,
      score_secondary: config.score_secondary,
      total: standingsIn(blocks) + baselines.length,
      rows,
    };
  });
}

type Standing = SortKey & { participant_id: number };

async function participantRows(
  trx: Db,
  config: ChallengeConfig,
  query: BoardQuery,
  standings: Standing[],
  first: number,
): Promise<Row[]> {
  if (standings.length === 0) return [];
  const place = { challenge: config.id, round: query.round, board: query.board };
  const details = await readDetails(trx, place, standings);
  const before = await ranksBefore(trx, place, standings);
  const leaders = config.rounds.find(({ id }) => id === query.round)?.highlight ?? 0;
  return standings.map((standing, index) => {
    const rank = first + index + 1;
    const detail = details.get(standing.submission_number)!;
    return {
      rank,
      participant: detail.name,
      score: shownScore(config.score, standing.sort_primary),
      score_secondary: config.score_secondary
        ? shownScore(config.score_secondary, standing.sort_secondary)
        : null,
      entries: Number(detail.entries),
      submission: detail.submission,
      submitted_at: standing.submitted_at,
      post_challenge: detail.post_challenge === 1,
      you: standing.participant_id === query.viewer,
      rank_before: before.get(standing.participant_id) ?? null,
      highlight: rank <= leaders,
      baseline: false,
      media: null,
      code: null,
    };
  });
}

async function readDetails(trx: Db, place: BoardPlace, standings: Standing[]) {
  const rows = await trx
    .selectFrom("submissions")
    .innerJoin("participants", "participants.id", "submissions.participant_id")
    .select([
      "submissions.number",
      "submissions.id as submission",
      "submissions.post_challenge",
      "participants.name",
    ])
    .select((eb) =>
      eb
        .selectFrom("submissions as entry")
        .select(sql<number>`count(*)`.as("n"))
        .where("entry.challenge", "=", place.challenge)
        .where("entry.round", "=", place.round)
        .whereRef("entry.participant_id", "=", "submissions.participant_id")
        .where(sql<boolean>`entry.function = 'submit' and entry.dry_run = 0 and entry.baseline = 0`)
        .$if(!countsLate(place.board), (entries) => entries.where("entry.post_challenge", "=", 0))
        .$if(isPrevious(place.board), (entries) =>
          entries.where(
            sql<boolean>`entry.created_at <= (
              select border from board_rounds where challenge = ${place.challenge} and round = ${place.round}
            )`,
          ),
        )
        .as("entries"),
    )
    .where(
      "submissions.number",
      "in",
      standings.map(({ submission_number }) => submission_number),
    )
    .execute();
  return new Map(rows.map((row) => [row.number, row]));
}

/** The ranks that these participants had at the border of the ranking window. */
async function ranksBefore(
  trx: Db,
  place: BoardPlace,
  standings: Standing[],
): Promise<ReadonlyMap<number, number>> {
  const board = boardBefore(place.board);
  if (board === null) return new Map();
  const then = { ...place, board };
  const keys = await trx
    .selectFrom("standings")
    .select(["participant_id", "sort_primary", "sort_secondary", "submitted_at", "submission_number"])
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("board", "=", board)
    .where(
      "participant_id",
      "in",
      standings.map(({ participant_id }) => participant_id),
    )
    .execute();
  if (keys.length === 0) return new Map();
  const counts = await countBefore(trx, then, await readBlocks(trx, then), keys);
  return new Map(keys.map(({ participant_id }, index) => [participant_id, counts[index]! + 1]));
}

function baselineRow(config: ChallengeConfig, baseline: Baseline): Row {
  return {
    rank: 0,
    participant: baseline.baseline_comment?.trim() || "Baseline",
    score: baseline.score,
    score_secondary: config.score_secondary ? baseline.score_secondary : null,
    entries: 0,
    submission: baseline.id,
    submitted_at: baseline.created_at,
    post_challenge: baseline.post_challenge === 1,
    you: false,
    rank_before: null,
    highlight: false,
    baseline: true,
    media: null,
    code: null,
  };
}
