import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { ALL_BOARDS, type Board, COUNTS, countsLate, isPrevious, RANKED } from "./boards.ts";
import { refillFinalBoards } from "./final-board.ts";
import { rebuildBlocks } from "./update-blocks.ts";

/**
 * Rebuilds all standings of a challenge from its graded submissions, in the transaction that changed them.
 * The previous boards keep their window boundary. The final boards consider `select` submissions of each
 * participant, or as many as before.
 */
export async function rebuildStandings(
  trx: Db,
  challenge: string,
  select: number | null = null,
): Promise<void> {
  await sql`insert into board_rounds (challenge, round, version, border)
    select distinct challenge, round, 1, cast(null as text) from submissions
    where challenge = ${challenge} and ${RANKED}
    on conflict (challenge, round) do nothing`.execute(trx);
  await trx
    .updateTable("board_rounds")
    .set({ version: sql<number>`version + 1` })
    .where("challenge", "=", challenge)
    .execute();
  await trx.deleteFrom("standings").where("challenge", "=", challenge).execute();
  for (const board of ALL_BOARDS) await fillBoard(trx, { challenge, round: null, board });
  await refillFinalBoards(trx, challenge, select);
  await rebuildBlocks(trx, { challenge, round: null });
}

/** Rebuilds the previous boards of a round, up to the window boundary that its row has now. */
export async function rebuildPrevious(trx: Db, place: { challenge: string; round: string }): Promise<void> {
  for (const board of ALL_BOARDS.filter(isPrevious)) {
    await trx
      .deleteFrom("standings")
      .where("challenge", "=", place.challenge)
      .where("round", "=", place.round)
      .where("board", "=", board)
      .execute();
    await fillBoard(trx, { ...place, board });
  }
  await rebuildBlocks(trx, place);
}

async function fillBoard(
  trx: Db,
  { challenge, round, board }: { challenge: string; round: string | null; board: Board },
): Promise<void> {
  const until = sql`and created_at <= (
    select border from board_rounds
    where board_rounds.challenge = submissions.challenge and board_rounds.round = submissions.round
  )`;
  await sql`
    insert into standings
      (challenge, round, board, participant_id, submission, submission_number, submitted_at, sort_primary, sort_secondary)
    select challenge, round, cast(${board} as text), participant_id, id, number, created_at, sort_primary, sort_secondary
    from (
      select submissions.*, row_number() over (
        partition by round, participant_id order by sort_primary, sort_secondary, created_at, number
      ) as place
      from submissions
      where challenge = ${challenge} and ${RANKED} and ${COUNTS}
      ${round === null ? sql`` : sql`and round = ${round}`}
      ${countsLate(board) ? sql`` : sql`and post_challenge = 0`}
      ${isPrevious(board) ? until : sql``}
    ) as ranked
    where place = 1`.execute(trx);
}

export interface RankedStanding {
  rank: number;
  submission: string;
}

/** Returns the ranks on the present boards of a challenge, by `rankKey`. */
export async function readRanks(trx: Db, challenge: string): Promise<ReadonlyMap<string, RankedStanding>> {
  const rows = await trx
    .selectFrom("standings")
    .select(["round", "board", "participant_id", "submission"])
    .select(
      sql<number>`row_number() over (
        partition by round, board order by sort_primary, sort_secondary, submitted_at, submission_number
      )`.as("rank"),
    )
    .where("challenge", "=", challenge)
    .where("board", "in", ["current", "ongoing"])
    .execute();
  return new Map(rows.map((row) => [rankKey(row), { rank: Number(row.rank), submission: row.submission }]));
}

export const rankKey = (place: { round: string; board: Board; participant_id: number }): string =>
  `${place.board} ${place.participant_id} ${place.round}`;
