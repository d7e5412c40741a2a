import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../records/records.ts";
import { type Board, shownScore } from "./standings.ts";

/** A page of the leaderboard of one round: one row a participant, the best graded submission, ranks without gaps. */
export async function readLeaderboard(
  db: Db,
  config: ChallengeConfig,
  query: { round: string; board: Board; limit: number; offset: number; viewer: number | null },
): Promise<Leaderboard> {
  const standings = db
    .selectFrom("standings")
    .where("standings.challenge", "=", config.id)
    .where("standings.round", "=", query.round)
    .where("standings.board", "=", query.board);
  const { total } = await standings.select(sql<number>`count(*)`.as("total")).executeTakeFirstOrThrow();
  const rows = await standings
    .innerJoin("participants", "participants.id", "standings.participant_id")
    .innerJoin("submissions", "submissions.id", "standings.submission")
    .select([
      "standings.participant_id",
      "standings.submission",
      "standings.submitted_at",
      "standings.sort_primary",
      "standings.sort_secondary",
      "participants.name",
      "submissions.post_challenge",
    ])
    .select((eb) =>
      eb
        .selectFrom("submissions as entry")
        .select(sql<number>`count(*)`.as("n"))
        .whereRef("entry.challenge", "=", "standings.challenge")
        .whereRef("entry.round", "=", "standings.round")
        .whereRef("entry.participant_id", "=", "standings.participant_id")
        .where("entry.function", "=", "submit")
        .where("entry.dry_run", "=", 0)
        .$if(query.board === "current", (entries) => entries.where("entry.post_challenge", "=", 0))
        .as("entries"),
    )
    .orderBy("standings.sort_primary")
    .orderBy("standings.sort_secondary")
    .orderBy("standings.submitted_at")
    .orderBy("standings.submission_number")
    .limit(query.limit)
    .offset(query.offset)
    .execute();
  return {
    challenge: config.id,
    round: query.round,
    score: config.score,
    score_secondary: config.score_secondary,
    total: Number(total),
    rows: rows.map((row, index) => ({
      rank: query.offset + index + 1,
      participant: row.name,
      score: shownScore(config.score, row.sort_primary),
      score_secondary: config.score_secondary ? shownScore(config.score_secondary, row.sort_secondary) : null,
      entries: Number(row.entries),
      submission: row.submission,
      submitted_at: row.submitted_at,
      post_challenge: row.post_challenge === 1,
      you: row.participant_id === query.viewer,
    })),
  };
}
