import { CrowdaiError, type Submission } from "@crowdai/shared";

/**
 * Handles a failed cancellation: returns the submission if it is already cancelled, perhaps by this very
 * request whose answer was lost. Throws the failure otherwise.
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
