import type { Submission } from "@crowdai/shared";

/** Returns a submission for JSON output, with its most important fields on top, so that `jq .score` works. */
export function submissionDocument(submission: Submission): object {
  const { id, state, score, score_secondary, rank } = submission;
  return { id, state, score, score_secondary, rank, submission };
}
