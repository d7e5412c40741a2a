import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import { shownScore } from "../leaderboard/standings.ts";
import type { TargetRound } from "./target-round.ts";

/**
 * Checks the score that a round requires from the round before it, compared on the leaderboard's rounded
 * scores in the direction of the score's order; equality passes. Throws not_qualified.
 */
export async function requireQualification(
  db: Db,
  config: ChallengeConfig,
  { round, number }: TargetRound,
  participantId: number,
): Promise<void> {
  const minimum = round.minimum_score;
  const previous = config.rounds[number - 2];
  if (minimum === null || !previous) return;
  const standing = await db
    .selectFrom("standings")
    .select("sort_primary")
    .where("challenge", "=", config.id)
    .where("round", "=", previous.id)
    .where("board", "=", "current")
    .where("participant_id", "=", participantId)
    .executeTakeFirst();
  const reached = standing ? shownScore(config.score, standing.sort_primary) : null;
  const descending = config.score.order === "descending";
  if (reached !== null && (descending ? reached >= minimum : reached <= minimum)) return;
  throw new CrowdaiError(
    "not_qualified",
    `Round "${round.id}" requires a score of ${descending ? "at least" : "at most"} ${minimum} in round "${previous.id}"; ` +
      (reached === null ? "you have none." : `yours is ${reached}.`),
    { details: { minimum_score: minimum, reached, round: previous.id } },
  );
}
