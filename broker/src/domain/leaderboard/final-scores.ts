import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import { sortKeys } from "./standings.ts";

/** A graded submission with a final score, by its challenge. */
export interface FinalKey {
  challenge: string;
  submission: string;
}

/** Stores the final score of a grade; null removes that of an earlier grade. */
export async function writeFinalScore(
  trx: Db,
  config: Pick<ChallengeConfig, "score" | "score_secondary">,
  { challenge, submission }: FinalKey,
  score: number | null,
): Promise<void> {
  if (score === null) {
    await trx
      .deleteFrom("final_scores")
      .where("challenge", "=", challenge)
      .where("submission", "=", submission)
      .execute();
    return;
  }
  const values = { final_score: score, sort_final: sortKeys(config, score, null).sort_primary };
  await trx
    .insertInto("final_scores")
    .values({ challenge, submission, ...values })
    .onConflict((conflict) => conflict.columns(["challenge", "submission"]).doUpdateSet(values))
    .execute();
}

/**
 * Returns a final score, which only callers may show that have asked isFinalShown, or that serve organizers.
 */
export async function readFinalScore(db: Db, { challenge, submission }: FinalKey): Promise<number | null> {
  return (await finalScoreOf(db, { challenge, submission }))?.final_score ?? null;
}

const finalScoreOf = lookup((db, { challenge, submission }: FinalKey) =>
  db
    .selectFrom("final_scores")
    .select("final_score")
    .where("challenge", "=", challenge)
    .where("submission", "=", submission),
);

/** Updates the sort keys of a challenge's final scores after it changed how scores are rounded or ordered. */
export async function renewFinalSortKeys(trx: Db, config: ChallengeConfig): Promise<void> {
  const rows = await trx
    .selectFrom("final_scores")
    .select(["submission", "final_score", "sort_final"])
    .where("challenge", "=", config.id)
    .execute();
  for (const { submission, final_score, sort_final } of rows)
    if (sortKeys(config, final_score, null).sort_primary !== sort_final)
      await writeFinalScore(trx, config, { challenge: config.id, submission }, final_score);
}
