import { type Submission, submissionSchema } from "@crowdai/shared";

/** Returns a submission for JSON output, with its most important fields on top, so that `jq .score` works. */
export function submissionDocument(submission: Submission): object {
  const { id, state, score, score_secondary, rank } = submission;
  return { id, state, score, score_secondary, rank, submission };
}

/** The fields that the document of a submission can have: its own, and those that commands add. */
export const SUBMISSION_FIELDS: readonly string[] = [
  ...Object.keys(submissionSchema.shape),
  ...["submission", "limits", "ranked", "error", "exit_code", "next_steps"],
];
