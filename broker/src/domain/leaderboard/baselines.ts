import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { countBefore, isBefore, type SortKey } from "./board-blocks.ts";
import { type BoardPlace, countsLate, isPrevious } from "./boards.ts";
import { readFinalScore } from "./final-scores.ts";
import { rawKeys } from "./standings.ts";

export type Baseline = Pick<
  SubmissionRow,
  | "id"
  | "number"
  | "created_at"
  | "score"
  | "score_secondary"
  | "post_challenge"
  | "baseline_comment"
  | "data"
> & {
  /** Position on the board, from 0, over participants and baselines together. */
  position: number;
};

const baselines = statement((db, { challenge, round, late }: Omit<BoardPlace, "board"> & { late: number }) =>
  db
    .selectFrom("submissions")
    .select(["id", "number", "created_at", "score", "score_secondary", "post_challenge", "baseline_comment"])
    .select("data")
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .where(sql<boolean>`baseline = 1 and function = 'submit' and dry_run = 0 and state = 'graded'`)
    .where("post_challenge", "<=", late),
);

/**
 * Returns the organizers' baselines on a board, in its order: by their unrounded scores, and before
 * participants with equal scores. The previous boards have none.
 */
export async function readBaselines(db: Db, config: ChallengeConfig, place: BoardPlace): Promise<Baseline[]> {
  if (isPrevious(place.board)) return [];
  const { challenge, round, board } = place;
  const late = countsLate(board) ? 1 : 0;
  const rows = await baselines(db, { challenge, round, late });
  if (place.board === "final")
    for (const row of rows)
      row.score = await readFinalScore(db, { challenge: place.challenge, submission: row.id });
  const sorted = rows
    .map((row) => ({ row, key: keyOf(config, row) }))
    .sort((one, other) => (isBefore(one.key, other.key) ? -1 : 1));
  const above = await countBefore(
    db,
    place,
    // Before all participants with equal scores.
    sorted.map(({ key }) => ({ ...key, submitted_at: "", submission_number: 0 })),
  );
  return sorted.map(({ row }, index) => ({ ...row, position: above[index]! + index }));
}

function keyOf(
  config: ChallengeConfig,
  row: Pick<SubmissionRow, "score" | "score_secondary" | "created_at" | "number">,
): SortKey {
  return {
    ...rawKeys(config, row.score, row.score_secondary),
    submitted_at: row.created_at,
    submission_number: row.number,
  };
}
