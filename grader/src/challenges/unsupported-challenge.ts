import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";

/** Returns why this grader cannot run a challenge's evaluator, or null. A required setting is never ignored silently. */
export function unsupportedReason(folder: ChallengeFolder): string | null {
  const { id, evaluator } = folder.config;
  if ("sandbox" in evaluator && evaluator.sandbox === "bubblewrap")
    return (
      `${id}/challenge.json: evaluator.sandbox is "bubblewrap", which this grader does not support. ` +
      `It runs evaluators as plain processes. Set "none" if this evaluator does not run participants' code.`
    );
  return null;
}
