import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { ENTRY } from "../../domain/leaderboard/boards.ts";
import { readLeaderboard } from "../../domain/leaderboard/leaderboard.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { readFigures } from "./challenges.tsx";

/** How a participant does in a round now: the board's truth, after every re-grade and withdrawal. */
export interface OwnStanding {
  round: RoundConfig;
  /** Null without a graded submission, and for readers who do not see the board. */
  rank: number | null;
  participants: number;
  best: number | null;
  /** The submission of the best score. */
  submission: string | null;
  entries: number;
  failed: number;
  /** Whether the board shows final scores. */
  final: boolean;
}

export async function readOwnStanding(
  { records: { db }, clock }: Needs<"records" | "clock">,
  config: ChallengeConfig,
  round: RoundConfig,
  { participant, showsRank }: { participant: number; showsRank: boolean },
): Promise<OwnStanding> {
  const [board, figures, counts] = await Promise.all([
    readLeaderboard(db, config, {
      round: round.id,
      board: "current",
      limit: 1,
      offset: 0,
      viewer: participant,
      ownOnly: true,
      now: clock(),
    }),
    readFigures(db, config, round.id, clock()),
    db
      .selectFrom("submissions")
      .select([
        sql<number>`count(*)`.as("entries"),
        sql<number>`sum(case when state = 'failed' then 1 else 0 end)`.as("failed"),
      ])
      .where("challenge", "=", config.id)
      .where("round", "=", round.id)
      .where("participant_id", "=", participant)
      .where(ENTRY)
      .executeTakeFirstOrThrow(),
  ]);
  const row = board.rows[0];
  return {
    round,
    rank: row && showsRank ? row.rank : null,
    participants: figures.participants,
    best: row?.score ?? null,
    submission: row?.submission ?? null,
    final: board.final,
    entries: Number(counts.entries),
    failed: Number(counts.failed ?? 0),
  };
}
