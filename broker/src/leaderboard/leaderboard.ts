import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { type Kysely, sql } from "kysely";
import { type Db, readTogether } from "../records/records.ts";
import type { Tables } from "../records/tables.ts";
import { type Baseline, readBaselines } from "./baselines.ts";
import { countBefore, countStandings, type SortKey, standingsFrom, startOf } from "./blocks.ts";
import { type Board, type BoardPlace, boardBefore, countsLate, isPrevious } from "./boards.ts";
import { shownScore } from "./standings.ts";

export interface BoardQuery {
  round: string;
  board: Board;
  limit: number;
  offset: number;
  /** The participant whose row is marked as theirs. */
  viewer: number | null;
  /** True to show no row but the viewer's. */
  ownOnly?: boolean;
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
    const { total, rows } = query.ownOnly
      ? await ownRow(trx, config, place, query)
      : await page(trx, config, place, query);
    return {
      challenge: config.id,
      round: query.round,
      board: query.board,
      score: config.score,
      score_secondary: config.score_secondary,
      version: await readVersion(trx, place),
      total,
      rows,
    };
  });
}

async function readVersion(trx: Db, { challenge, round }: BoardPlace): Promise<number> {
  const known = await trx
    .selectFrom("board_rounds")
    .select("version")
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .executeTakeFirst();
  return known?.version ?? 0;
}

interface Page {
  total: number;
  rows: Row[];
}

async function page(trx: Db, config: ChallengeConfig, place: BoardPlace, query: BoardQuery): Promise<Page> {
  const { offset, limit } = query;
  const baselines = await readBaselines(trx, config, place);
  const above = baselines.filter(({ position }) => position < offset).length;
  const shown = baselines.filter(({ position }) => position >= offset && position < offset + limit);
  const first = offset - above;
  const { from, skip } = await startOf(trx, place, first);
  const standings = await standingsFrom(trx, place, from)
    .offset(skip)
    .limit(limit - shown.length)
    .execute();
  const rows = await participantRows(trx, config, query, standings, first);
  for (const baseline of shown) rows.splice(baseline.position - offset, 0, baselineRow(config, baseline));
  return { total: (await countStandings(trx, place)) + baselines.length, rows };
}

async function ownRow(trx: Db, config: ChallengeConfig, place: BoardPlace, query: BoardQuery): Promise<Page> {
  if (query.viewer === null) return { total: 0, rows: [] };
  const own = await standingsOf(trx, place, [query.viewer]);
  const [before = 0] = await countBefore(trx, place, own);
  const rows = await participantRows(trx, config, query, own, before);
  return { total: rows.length, rows: rows.slice(query.offset, query.offset + query.limit) };
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
  const keys = await standingsOf(
    trx,
    then,
    standings.map(({ participant_id }) => participant_id),
  );
  const counts = await countBefore(trx, then, keys);
  return new Map(keys.map(({ participant_id }, index) => [participant_id, counts[index]! + 1]));
}

function standingsOf(trx: Db, place: BoardPlace, participants: number[]): Promise<Standing[]> {
  return trx
    .selectFrom("standings")
    .select(["participant_id", "sort_primary", "sort_secondary", "submitted_at", "submission_number"])
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("board", "=", place.board)
    .where("participant_id", "in", participants)
    .execute();
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
