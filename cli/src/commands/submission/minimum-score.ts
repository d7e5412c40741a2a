import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";
import { meetsMinimum } from "../../submit/grade.ts";

/** Returns the error for a score that is worse than --min-score, or absent; null if it meets it. */
export function belowMinimum(
  reached: number | null,
  { score: { title, order } }: Pick<PublicChallenge, "score">,
  wanted: number,
): CrowdaiError | null {
  if (reached !== null && meetsMinimum(reached, wanted, order)) return null;
  const relation = order === "descending" ? "below" : "above";
  const message =
    reached === null
      ? `There is no score to compare with --min-score ${wanted}.`
      : `${title} ${reached} is ${relation} --min-score ${wanted}.`;
  return new CrowdaiError("below_minimum", message, { details: { score: reached, wanted, order } });
}
