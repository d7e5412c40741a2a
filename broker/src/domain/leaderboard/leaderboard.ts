import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { type Kysely, sql } from "kysely";
import { type Db, readTogether } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { Tables } from "../../records/tables.ts";
import { boardColumns } from "../challenges/board-columns.ts";
import { nameKey } from "../participants/api-keys.ts";
import { findTeams } from "../participants/list-keys.ts";
import { readBaselines } from "./baselines.ts";
import { countBefore, standingsFrom, startOf } from "./board-blocks.ts";
import {
  baselineRow,
  type OwnedRow,
  participantRows,
  readStandings,
  readStandingsFrom,
} from "./board-rows.ts";
import type { Board, BoardPlace } from "./boards.ts";
import { isFinalShown } from "./final-shown.ts";

export interface BoardQuery {
  round: string;
  board: Leaderboard["board"];
  limit: number;
  offset: number;
  /** The participant whose row is marked as theirs. */
  viewer: number | null;
  /** Decides whether the current board shows the final scores. */
  now: Date;
  /** True to show only the viewer's row. */
  ownOnly?: boolean;
  /**
   * Shows only the participants whose names, or those of their members, contain this text, the best of them.
   */
  find?: string;
}

/** Returns what readLeaderboard returns, and the participant of each row; null for a baseline. */
export async function readOwnedLeaderboard(
  db: Kysely<Tables>,
  config: ChallengeConfig,
  query: BoardQuery,
): Promise<{ board: Leaderboard; owners: (number | null)[] }> {
  const { rows, ...board } = await readRows(db, config, query);
  return { board: { ...board, rows: rows.map(({ row }) => row) }, owners: rows.map(({ owner }) => owner) };
}

/**
 * Returns a page of a round's board: one row per participant with their best graded submission, ranks without
 * gaps, and the baselines placed by their scores. All rows are from one moment.
 */
export async function readLeaderboard(
  db: Kysely<Tables>,
  config: ChallengeConfig,
  query: BoardQuery,
): Promise<Leaderboard> {
  return (await readOwnedLeaderboard(db, config, query)).board;
}

function readRows(
  db: Kysely<Tables>,
  config: ChallengeConfig,
  query: BoardQuery,
): Promise<Omit<Leaderboard, "rows"> & Page> {
  return readTogether(db, async (trx) => {
    const known = await knownRound(trx, { challenge: config.id, round: query.round });
    const { version, finals } = known ?? { version: 0, finals: 0 };
    const isFinal =
      query.board === "current" && finals > 0 && (await isFinalShown(trx, config, query.round, query.now));
    const board: Board = isFinal ? "final" : query.board;
    const place = { challenge: config.id, round: query.round, board };
    const { total, rows } = query.ownOnly
      ? await ownRow(trx, config, place, query)
      : query.find !== undefined
        ? await foundRows(trx, config, place, query, query.find)
        : await page(trx, config, place, query);
    return {
      challenge: config.id,
      round: query.round,
      board: query.board,
      score: config.score,
      score_secondary: config.score_secondary,
      columns: boardColumns(config),
      final: isFinal,
      version,
      total,
      rows,
    };
  });
}

const knownRound = lookup((db, { challenge, round }: Pick<BoardPlace, "challenge" | "round">) =>
  db
    .selectFrom("board_rounds")
    .select(["version", "finals"])
    .where("challenge", "=", challenge)
    .where("round", "=", round),
);

interface Page {
  total: number;
  rows: OwnedRow[];
}

async function page(trx: Db, config: ChallengeConfig, place: BoardPlace, query: BoardQuery): Promise<Page> {
  const { offset, limit } = query;
  const baselines = await readBaselines(trx, config, place);
  const above = baselines.filter(({ position }) => position < offset).length;
  const shown = baselines.filter(({ position }) => position >= offset && position < offset + limit);
  const first = offset - above;
  const { total, from, skip } = await startOf(trx, place, first);
  const standings = await readStandingsFrom(trx, config, place, {
    ...from,
    skip,
    limit: limit - shown.length,
  });
  const rows = await participantRows(trx, config, { ...query, board: place.board }, standings, first);
  for (const baseline of shown)
    rows.splice(baseline.position - offset, 0, { row: baselineRow(config, baseline), owner: null });
  return { total: total + baselines.length, rows };
}

async function ownRow(trx: Db, config: ChallengeConfig, place: BoardPlace, query: BoardQuery): Promise<Page> {
  if (query.viewer === null) return { total: 0, rows: [] };
  const own = await readStandings(
    trx,
    config,
    place,
    standingsFrom(trx, place).where("participant_id", "=", query.viewer),
  );
  const [before = 0] = await countBefore(trx, place, own);
  const rows = await participantRows(trx, config, { ...query, board: place.board }, own, before);
  return { total: rows.length, rows: rows.slice(query.offset, query.offset + query.limit) };
}

async function foundRows(
  trx: Db,
  config: ChallengeConfig,
  place: BoardPlace,
  query: BoardQuery,
  text: string,
): Promise<Page> {
  const like = `%${nameKey(text).replace(/[\\%_]/g, "\\$&")}%`;
  const teams = await findTeams(trx, text);
  const named = standingsFrom(trx, place).where("participant_id", "in", (eb) =>
    eb
      .selectFrom("participants")
      .select("id")
      .where(sql<boolean>`name_key like ${like} escape '\\'`)
      .$if(teams.length > 0, (named) =>
        named.union(eb.selectFrom("participants").select("id").where("id", "in", teams)),
      ),
  );
  const found = await readStandings(trx, config, place, named.limit(query.limit));
  const before = await countBefore(trx, place, found);
  const rows: OwnedRow[] = [];
  for (const [index, standing] of found.entries())
    rows.push(
      ...(await participantRows(
        trx,
        config,
        { ...query, board: place.board },
        [standing],
        before[index] as number,
      )),
    );
  return { total: rows.length, rows };
}
