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
    .where("challenge", "=", config.id)
    .where("round", "=", query.round)
    .where("board", "=", query.board);
  const { total } = await standings.select(sql<number>`count(*)`.as("total")).executeTakeFirstOrThrow();
  // The page first, from the index alone: joined before, every row that is skipped would be joined as well.
  const page = standings
    .select(["participant_id", "sort_primary", "sort_secondary", "submitted_at", "submission_number"])
    .orderBy("sort_primary")
    .orderBy("sort_secondary")
    .orderBy("submitted_at")
    .orderBy("submission_number")
    .limit(query.limit)
    .offset(query.offset);
  const rows = await db
    .selectFrom(page.as("page"))
    .innerJoin("participants", "participants.id", "page.participant_id")
    .innerJoin("submissions", "submissions.number", "page.submission_number")
    .select([
      "page.participant_id",
      "page.submitted_at",
      "page.sort_primary",
      "page.sort_secondary",
      "participants.name",
      "submissions.id as submission",
      "submissions.post_challenge",
    ])
    .select((eb) =>
      eb
        .selectFrom("submissions as entry")
        .select(sql<number>`count(*)`.as("n"))
        .where("entry.challenge", "=", config.id)
        .where("entry.round", "=", query.round)
        .whereRef("entry.participant_id", "=", "page.participant_id")
        .where("entry.function", "=", "submit")
        .where("entry.dry_run", "=", 0)
        .where("entry.baseline", "=", 0)
        .$if(query.board === "current", (entries) => entries.where("entry.post_challenge", "=", 0))
        .as("entries"),
    )
    .orderBy("page.sort_primary")
    .orderBy("page.sort_secondary")
    .orderBy("page.submitted_at")
    .orderBy("page.submission_number")
    .execute();
  return {
    challenge: config.id,
    round: query.round,
    board: query.board,
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
      rank_before: null,
      highlight: false,
      baseline: false,
      media: null,
      code: null,
    })),
  };
}
