import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import { columnValues } from "../challenges/board-columns.ts";
import { readMembers } from "../participants/list-keys.ts";
import type { Baseline } from "./baselines.ts";
import { countBefore, type SortKey, standingsFrom } from "./board-blocks.ts";
import { type Board, type BoardPlace, boardBefore, countsLate, isPrevious } from "./boards.ts";
import { shownScore } from "./standings.ts";

export type Row = Leaderboard["rows"][number];

/** A row, and whose it is; null for a baseline. */
export interface OwnedRow {
  row: Row;
  owner: number | null;
}

/** Selects what the rows of some of a board's standings show, in their order. */
function shownOf(
  db: Db,
  { challenge, round, board }: BoardPlace,
  standings: ReturnType<typeof standingsFrom>,
  withData: boolean,
) {
  return db
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
    .select([
      "standing.sort_primary",
      "standing.sort_secondary",
      "standing.submitted_at",
      "standing.submission_number",
      "standing.participant_id",
    ])
    .select(["submissions.id as submission", "submissions.post_challenge", "participants.name"])
    .select([
      "then.sort_primary as then_primary",
      "then.sort_secondary as then_secondary",
      "then.submitted_at as then_at",
      "then.submission_number as then_number",
    ])
    .$if(withData, (query) => query.select("submissions.data"))
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
    .orderBy("standing.submission_number");
}

/** Where to read standings, see startOf, and how many. */
type Page = SortKey & { skip: number; limit: number };

const pages = new Map<string, ReturnType<typeof pageStatement>>();

function pageStatement(board: Board, withData: boolean) {
  return statement((db, at: Omit<BoardPlace, "board"> & Page) => {
    const place = { ...at, board };
    return shownOf(db, place, standingsFrom(db, place, at).offset(at.skip).limit(at.limit), withData);
  });
}

/** Reads some of a board's standings. */
export async function readStandings(
  trx: Db,
  { columns }: Pick<ChallengeConfig, "columns">,
  place: BoardPlace,
  standings: ReturnType<typeof standingsFrom>,
) {
  return (await shownOf(trx, place, standings, columns.length > 0).execute()).map(asShown);
}

/** Reads a page of a board's standings. */
export async function readStandingsFrom(
  trx: Db,
  { columns }: Pick<ChallengeConfig, "columns">,
  { challenge, round, board }: BoardPlace,
  page: Page,
) {
  const withData = columns.length > 0;
  const kind = `${board} ${withData}`;
  const read = pages.get(kind) ?? pageStatement(board, withData);
  pages.set(kind, read);
  return (await read(trx, { challenge, round, ...page })).map(asShown);
}

type ShownRow = Awaited<ReturnType<ReturnType<typeof shownOf>["execute"]>>[number];

function asShown({ then_primary, then_secondary, then_at, then_number, entries, ...row }: ShownRow) {
  return {
    ...row,
    entries: Number(entries),
    /** On the previous board; null without a place there. */
    before:
      then_number === null
        ? null
        : ({
            sort_primary: then_primary,
            sort_secondary: then_secondary,
            submitted_at: then_at,
            submission_number: then_number,
          } as SortKey),
  };
}

/** A standing with the data that its row shows. */
type ShownStanding = ReturnType<typeof asShown>;

/** Returns the rows of standings that follow `first` others. */
export async function participantRows(
  trx: Db,
  config: ChallengeConfig,
  query: { round: string; board: Board; viewer: number | null },
  standings: ShownStanding[],
  first: number,
): Promise<OwnedRow[]> {
  const members = await readMembers(
    trx,
    standings.map(({ participant_id }) => participant_id),
  );
  const ranksBefore = await readRanksBefore(trx, { challenge: config.id, ...query }, standings);
  const leaders = config.rounds.find(({ id }) => id === query.round)?.highlight ?? 0;
  return standings.map((standing, index) => {
    const rank = first + index + 1;
    const row: Row = {
      rank,
      participant: standing.name,
      members: members.get(standing.participant_id) ?? [],
      profile: null,
      score: shownScore(config.score, standing.sort_primary),
      score_secondary: config.score_secondary
        ? shownScore(config.score_secondary, standing.sort_secondary)
        : null,
      score_public:
        query.board === "final" && standing.before
          ? shownScore(config.score, standing.before.sort_primary)
          : null,
      columns: columnValues(config, standing.data),
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
    return { row, owner: standing.participant_id };
  });
}

/** Returns the ranks that these participants had at the window boundary. */
async function readRanksBefore(
  trx: Db,
  { challenge, round, board }: BoardPlace,
  standings: readonly ShownStanding[],
): Promise<ReadonlyMap<number, number>> {
  const before = boardBefore(board);
  const placed = standings.filter((standing) => standing.before !== null);
  if (before === null) return new Map();
  const keys = placed.map((standing) => standing.before as SortKey);
  const counts = await countBefore(trx, { challenge, round, board: before }, keys);
  return new Map(placed.map(({ participant_id }, index) => [participant_id, counts[index]! + 1]));
}

export function baselineRow(config: ChallengeConfig, baseline: Baseline): Row {
  return {
    rank: 0,
    participant: baseline.baseline_comment?.trim() || "Baseline",
    members: [],
    profile: null,
    score: baseline.score,
    score_secondary: config.score_secondary ? baseline.score_secondary : null,
    score_public: null,
    columns: columnValues(config, baseline.data),
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
