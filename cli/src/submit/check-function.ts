import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";

/** Throws function_unknown, with the names of the existing functions. */
export function checkFunction(challenge: PublicChallenge, name: string): void {
  if (challenge.functions.includes(name)) return;
  const known = challenge.functions
    .filter((one) => one !== "submit")
    .map((one) => `"${one}"`)
    .join(", ");
  throw new CrowdaiError(
    "function_unknown",
    known
      ? `The evaluator of ${challenge.id} has no function "${name}". Functions: ${known}.`
      : `The evaluator of ${challenge.id} has no functions to call.`,
  );
}
