import { sql } from "kysely";
import type { Db } from "../records/records.ts";
import type { Board } from "./standings.ts";

const BOARDS: Board[] = ["current", "ongoing"];

/** Makes all standings of a challenge anew from its graded submissions, in the transaction that changed them. */
export async function rebuildStandings(trx: Db, challenge: string): Promise<void> {
  await trx.deleteFrom("standings").where("challenge", "=", challenge).execute();
  for (const board of BOARDS)
    await sql`
      insert into standings
        (challenge, round, board, participant_id, submission, submission_number, submitted_at, sort_primary, sort_secondary)
      select challenge, round, cast(${board} as text), participant_id, id, number, created_at, sort_primary, sort_secondary
      from (
        select submissions.*, row_number() over (
          partition by round, participant_id order by sort_primary, sort_secondary, created_at, number
        ) as place
        from submissions
        where challenge = ${challenge} and function = 'submit' and dry_run = 0 and baseline = 0 and state = 'graded'
        ${board === "current" ? sql`and post_challenge = 0` : sql``}
      ) as ranked
      where place = 1`.execute(trx);
}

export interface RankedStanding {
  rank: number;
  submission: string;
}

/** Ranks on all boards of a challenge, by `rankKey`. */
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
    .execute();
  return new Map(rows.map((row) => [rankKey(row), { rank: Number(row.rank), submission: row.submission }]));
}

export const rankKey = (place: { round: string; board: Board; participant_id: number }): string =>
  `${place.board} ${place.participant_id} ${place.round}`;
