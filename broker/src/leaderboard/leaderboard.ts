import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { type Kysely, sql } from "kysely";
import { type Db, readTogether } from "../records/records.ts";
import type { Tables } from "../records/tables.ts";
import { type Baseline, readBaselines } from "./baselines.ts";
import { countBefore, type SortKey, standingsFrom, startOf } from "./blocks.ts";
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
  const { total, from, skip } = await startOf(trx, place, first);
  const standings = await readStandings(
    trx,
    place,
    standingsFrom(trx, place, from)
      .offset(skip)
      .limit(limit - shown.length),
  );
  const rows = await participantRows(trx, config, query, standings, first);
  for (const baseline of shown) rows.splice(baseline.position - offset, 0, baselineRow(config, baseline));
  return { total: total + baselines.length, rows };
}

async function ownRow(trx: Db, config: ChallengeConfig, place: BoardPlace, query: BoardQuery): Promise<Page> {
  if (query.viewer === null) return { total: 0, rows: [] };
  const own = await readStandings(
    trx,
    place,
    standingsFrom(trx, place).where("participant_id", "=", query.viewer),
  );
  const [before = 0] = await countBefore(trx, place, own);
  const rows = await participantRows(trx, config, query, own, before);
  return { total: rows.length, rows: rows.slice(query.offset, query.offset + query.limit) };
}

/** What a row shows of some of a board's standings, in its order. */
async function readStandings(trx: Db, place: BoardPlace, standings: ReturnType<typeof standingsFrom>) {
  const { challenge, round, board } = place;
  const rows = await trx
    .selectFrom(standings.as("standing"))
    .innerJoin("submissions", "submissions.number", "standing.submission_number")
    .innerJoin("participants", "participants.id", "standing.participant_id")
    .leftJoin("standings as then", (join) =>
      join
        .on("then.challenge", "=", challenge)
        .on("then.round", "=", round)
        .on("then.board", "=", boardBefore(board))
        .onRef("then.participant_id", "=", "standing.participant_id"),
    )
    .selectAll("standing")
    .select(["submissions.id as submission", "submissions.post_challenge", "participants.name"])
    .select([
      "then.sort_primary as then_primary",
      "then.sort_secondary as then_secondary",
      "then.submitted_at as then_at",
      "then.submission_number as then_number",
    ])
    .select((eb) =>
      eb
        .selectFrom("submissions as entry")
        .select(sql<number>`count(*)`.as("n"))
        .where("entry.challenge", "=", challenge)
        .where("entry.round", "=", round)
        .whereRef("entry.participant_id", "=", "standing.participant_id")
        .where(sql<boolean>`entry.function = 'submit' and entry.dry_run = 0 and entry.baseline = 0`)
        .$if(!countsLate(board), (entries) => entries.where("entry.post_challenge", "=", 0))
        .$if(isPrevious(board), (entries) =>
          entries.where(
            sql<boolean>`entry.created_at <= (
              select border from board_rounds where challenge = ${challenge} and round = ${round}
            )`,
          ),
        )
        .as("entries"),
    )
    .orderBy("standing.sort_primary")
    .orderBy("standing.sort_secondary")
    .orderBy("standing.submitted_at")
    .orderBy("standing.submission_number")
    .execute();
  return rows.map(({ then_primary, then_secondary, then_at, then_number, entries, ...row }) => ({
    ...row,
    entries: Number(entries),
    /** On the board before; null without a place there. */
    before:
      then_number === null
        ? null
        : ({
            sort_primary: then_primary,
            sort_secondary: then_secondary,
            submitted_at: then_at,
            submission_number: then_number,
          } as SortKey),
  }));
}

type Standing = Awaited<ReturnType<typeof readStandings>>[number];

async function participantRows(
  trx: Db,
  config: ChallengeConfig,
  query: BoardQuery,
  standings: Standing[],
  first: number,
): Promise<Row[]> {
  const ranksBefore = await readRanksBefore(trx, { challenge: config.id, ...query }, standings);
  const leaders = config.rounds.find(({ id }) => id === query.round)?.highlight ?? 0;
  return standings.map((standing, index) => {
    const rank = first + index + 1;
    return {
      rank,
      participant: standing.name,
      score: shownScore(config.score, standing.sort_primary),
      score_secondary: config.score_secondary
        ? shownScore(config.score_secondary, standing.sort_secondary)
        : null,
      entries: standing.entries,
      submission: standing.submission,
      submitted_at: standing.submitted_at,
      post_challenge: standing.post_challenge === 1,
      you: standing.participant_id === query.viewer,
      rank_before: ranksBefore.get(standing.participant_id) ?? null,
      highlight: rank <= leaders,
      baseline: false,
      media: null,
      code: null,
    };
  });
}

/** The ranks that these participants had at the border of the ranking window. */
async function readRanksBefore(
  trx: Db,
  { challenge, round, board }: BoardPlace,
  standings: readonly Standing[],
): Promise<ReadonlyMap<number, number>> {
  const before = boardBefore(board);
  const placed = standings.filter((standing) => standing.before !== null);
  if (before === null || placed.length === 0) return new Map();
  const keys = placed.map((standing) => standing.before as SortKey);
  const counts = await countBefore(trx, { challenge, round, board: before }, keys);
  return new Map(placed.map(({ participant_id }, index) => [participant_id, counts[index]! + 1]));
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
