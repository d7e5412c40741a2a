import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";

/** Why this grader cannot run a challenge's evaluator, or null. What a challenge asks for is never quietly left out. */
export function unsupportedReason(folder: ChallengeFolder): string | null {
  const { id, evaluator } = folder.config;
  if ("sandbox" in evaluator && evaluator.sandbox === "bubblewrap")
    return (
      `${id}/challenge.json: evaluator.sandbox asks for "bubblewrap", which this grader does not have. ` +
      `It runs evaluators as plain processes only; set "none" if this evaluator runs no code of participants.`
    );
  return null;
}
