import { CrowdaiError, type Submission } from "@crowdai/shared";

/**
 * For a cancellation that failed: one that found the submission cancelled already, perhaps by itself before its answer was
 * lost, has what it wanted. Throws the failure otherwise.
 */
export async function acceptCancelled(
  failure: unknown,
  read: () => Promise<Submission>,
): Promise<Submission> {
  if (!(failure instanceof CrowdaiError) || failure.code !== "already_final") throw failure;
  const submission = await read();
  if (submission.state !== "cancelled") throw failure;
  return submission;
}
