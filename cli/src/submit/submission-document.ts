import type { Submission } from "@crowdai/shared";

/** A submission in JSON output: the answer at the top, where `jq .score` finds it, and everything else beneath. */
export function submissionDocument(submission: Submission) {
  const { id, state, score, score_secondary, rank } = submission;
  return { id, state, score, score_secondary, rank, submission };
}
