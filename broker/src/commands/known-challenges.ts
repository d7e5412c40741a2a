import { CrowdaiError, quoted, suggest } from "@crowdai/shared";
import type { Db } from "../records/records.ts";

/**
 * Throws challenge_unknown for ids of challenges that no broker with these records has served. While none has
 * served any, as before its first start, every id passes: it returns those that nothing confirms.
 */
export async function requireKnownChallenges(db: Db, ids: readonly string[]): Promise<string[]> {
  const known = await knownChallenges(db);
  if (known.length === 0) return [...ids];
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length === 0) return [];
  const named = unknown.map((id) => {
    const near = suggest(id, known);
    return near === null ? quoted(id) : `${quoted(id)} (did you mean "${near}"?)`;
  });
  throw new CrowdaiError("challenge_unknown", `There is no challenge ${named.join(", ")} here.`, {
    next: "Start the broker with the challenge's folder, or add it with `crowdai-broker challenge add`, then try again.",
    details: { challenges: unknown },
  });
}

/** Returns the challenges that brokers have served, from folders and bundles. Each got a number then. */
async function knownChallenges(db: Db): Promise<string[]> {
  const served = await db.selectFrom("challenge_numbers").select("challenge as id").execute();
  const added = await db.selectFrom("challenges").select("id").distinct().execute();
  return [...new Set([...served, ...added].map(({ id }) => id))];
}
