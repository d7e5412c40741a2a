import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Graded } from "./graded-result.ts";
import type { LeftChallenges } from "./left-challenges.ts";

const REASON = "the evaluator does not work on this grader";
/** The program, or what it needs to start, is missing: it failed before it could read a job. */
const FAILED_TO_START = /^evaluator_crashed: (?:failed to start:|exit code 12[67]\b)/;

/**
 * Evaluators that fail on this grader and may work on another, as with a broken installation of Python. What
 * such an evaluator says about a submission is not its verdict while another grader can give one.
 */
export interface DoubtfulEvaluators {
  /** Called when the evaluator has graded a job. */
  worked(folder: ChallengeFolder): void;
  /** Resolves to whether another grader should grade the job that ended like this. */
  leavesToOthers(folder: ChallengeFolder, graded: Graded): Promise<boolean>;
}

export function createDoubtfulEvaluators(options: {
  grader: string;
  queue: Pick<JobQueue, "attached">;
  left: LeftChallenges;
}): DoubtfulEvaluators {
  const { grader, queue, left } = options;
  /** The version of each challenge whose evaluator has given a verdict here. */
  const verified = new Map<string, string>();

  async function isServedElsewhere(challenge: string): Promise<boolean> {
    const attached = await queue.attached().catch(() => []);
    return attached.some(
      (one) => one.grader !== grader && !one.problem && one.challenges.includes(challenge),
    );
  }

  const worked = ({ config, version }: ChallengeFolder) => void verified.set(config.id, version);

  return {
    worked,
    async leavesToOthers(folder, { outcome, evaluatorLog }) {
      const [challenge, version] = [folder.config.id, folder.version];
      if (outcome.ok || outcome.code === "rejected") {
        worked(folder);
        return false;
      }
      const failed = outcome.code === "evaluator_crashed" || outcome.code === "evaluator_silent";
      const isDoubtful = verified.get(challenge) !== version || FAILED_TO_START.test(evaluatorLog);
      if (!failed || !isDoubtful || !(await isServedElsewhere(challenge))) return false;
      left.leave(challenge, REASON);
      return true;
    },
  };
}
