import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { Logger } from "../base/log.ts";
import { unsupportedReason } from "./unsupported-challenge.ts";

/**
 * Returns a function that lists the challenges this grader can run. Throws config_invalid when it cannot run one of
 * those that are there now. One that is added later is skipped, with one error in the log.
 */
export function supportedChallenges(
  challenges: () => ReadonlyMap<string, ChallengeFolder>,
  log: Logger,
): () => ChallengeFolder[] {
  const problems = [...challenges().values()].map(unsupportedReason).filter((reason) => reason !== null);
  if (problems.length > 0)
    throw new CrowdaiError("config_invalid", problems.join("\n"), { details: { mistakes: problems } });

  const logged = new Set<string>();
  return () =>
    [...challenges().values()].filter((folder) => {
      const reason = unsupportedReason(folder);
      if (reason && !logged.has(reason)) {
        logged.add(reason);
        log.error({ event: "challenge_unsupported", challenge: folder.config.id }, reason);
      }
      return reason === null;
    });
}
