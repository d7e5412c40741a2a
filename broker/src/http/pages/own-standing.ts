import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { countBefore } from "../../domain/leaderboard/board-blocks.ts";
import { ENTRY } from "../../domain/leaderboard/boards.ts";
import { ownStanding, shownScore } from "../../domain/leaderboard/standings.ts";
import type { Db } from "../../records/records.ts";
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
}

export async function readOwnStanding(
  db: Db,
  config: ChallengeConfig,
  round: RoundConfig,
  { participant, showsRank }: { participant: number; showsRank: boolean },
): Promise<OwnStanding> {
  const place = { challenge: config.id, round: round.id, board: "current" as const };
  const [standing, figures, counts] = await Promise.all([
    ownStanding(db, { ...place, participant_id: participant }),
    readFigures(db, config, round.id),
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
  const [before = 0] = standing && showsRank ? await countBefore(db, place, [standing]) : [];
  return {
    round,
    rank: standing && showsRank ? before + 1 : null,
    participants: figures.participants,
    best: standing ? shownScore(config.score, standing.sort_primary) : null,
    submission: standing?.submission ?? null,
    entries: Number(counts.entries),
    failed: Number(counts.failed ?? 0),
  };
}
