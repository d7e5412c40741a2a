import { CrowdaiError } from "@crowdai/shared";

/**
 * Returns file_unwritable for standard output, with the submission whose id or grade was to be printed there.
 */
export function outputLost(reason: string, submission: string | null): CrowdaiError {
  const message = `Standard output cannot be written (${reason}).`;
  return new CrowdaiError(
    "file_unwritable",
    submission === null ? message : `${message} The submission is ${submission}.`,
    {
      next:
        submission === null ? "Check the free disk space." : `Its result: \`crowdai show ${submission}\`.`,
      details: { path: "stdout", reason, ...(submission === null ? {} : { submission }) },
    },
  );
}
