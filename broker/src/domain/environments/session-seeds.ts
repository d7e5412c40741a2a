import { createHmac } from "node:crypto";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { SubmissionRow } from "../../records/tables.ts";

type Played = Pick<SubmissionRow, "id" | "challenge" | "round">;

/**
 * Returns the seeds of a submission's episodes; null without an environment, or when a private file of
 * the challenge has them.
 */
export type SeedsOf = (config: Pick<ChallengeConfig, "environment">, played: Played) => number[] | null;

/**
 * Derives seeds from the installation's secret: the same ones at every broker and for every re-grading, and
 * unknown to participants.
 */
export function createSeeds(secret: string): SeedsOf {
  return ({ environment }, { id, challenge, round }) => {
    if (!environment || !("count" in environment.seeds)) return null;
    const { count, per } = environment.seeds;
    const played = per === "submission" ? [challenge, round, id] : [challenge, round];
    return Array.from({ length: count }, (_, index) => {
      const digest = createHmac("sha256", secret)
        .update(JSON.stringify(["seed", ...played, index]))
        .digest();
      return digest.readUInt32BE() >>> 1;
    });
  };
}
