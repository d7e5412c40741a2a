import type { Submission } from "@crowdai/shared";

/** A submission as JSON output holds it: what a script asks for first stands on top, so that `jq .score` works. */
export function submissionDocument(submission: Submission): object {
  const { id, state, score, score_secondary, rank } = submission;
  return { id, state, score, score_secondary, rank, submission };
}
