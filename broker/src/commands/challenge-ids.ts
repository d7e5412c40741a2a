import { CrowdaiError } from "@crowdai/shared";
import { Option } from "commander";

export const CHALLENGE_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

export const challengesOption = (): Option => optionalChallenges().makeOptionMandatory();

export const optionalChallenges = (what = "challenge ids, separated by commas"): Option =>
  new Option("--challenges <ids>", what).argParser(challengeIds);

/** Reads a list of challenge ids. Throws usage for an empty list or a malformed id. */
function challengeIds(text: string): string[] {
  const ids = text
    .split(",")
    .map((id) => id.trim())
    .filter(Boolean);
  if (ids.length === 0)
    throw new CrowdaiError("usage", "--challenges is empty: pass one or more challenge ids.");
  const malformed = ids.find((id) => !CHALLENGE_ID.test(id));
  if (malformed !== undefined)
    throw new CrowdaiError("usage", `--challenges: ${JSON.stringify(malformed)} is not a challenge id.`, {
      next: "Pass ids separated by commas, such as --challenges iris,mnist.",
    });
  return [...new Set(ids)];
}

/** Reads one challenge id. Throws usage for a malformed one. */
export function challengeId(text: string): string {
  if (CHALLENGE_ID.test(text)) return text;
  throw new CrowdaiError("usage", `--challenge: ${JSON.stringify(text)} is not a challenge id.`);
}
