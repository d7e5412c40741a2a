import { CrowdaiError } from "@crowdai/shared";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { DisqualificationTable } from "../../records/tables.ts";

/** A decision that is in force. */
export interface Disqualification {
  /** Null for all challenges. */
  challenge: string | null;
  reason: string;
  at: string;
}

/** A decision in the records. */
export type Decision = Omit<DisqualificationTable, "id" | "participant_id">;

/** Returns all decisions about a participant, oldest first. */
export const listDecisions = (db: Db, participantId: number): Promise<Decision[]> =>
  decisionsOf(db, { participant: participantId });

const decisionsOf = statement((db, { participant }: { participant: number }) =>
  db
    .selectFrom("disqualifications")
    .select(["challenge", "decision", "reason", "at"])
    .where("participant_id", "=", participant)
    .orderBy("id"),
);

/**
 * Returns the disqualifications of a participant that are in force, by the latest decision for each
 * challenge.
 */
export async function findDisqualifications(db: Db, participantId: number): Promise<Disqualification[]> {
  const latest = new Map<string | null, Decision>();
  for (const decision of await listDecisions(db, participantId)) latest.set(decision.challenge, decision);
  return [...latest.values()]
    .filter(({ decision }) => decision === "disqualified")
    .map(({ challenge, reason, at }) => ({ challenge, reason: reason ?? "", at }));
}

/** Returns the disqualification of a participant in a challenge; null when the participant counts. */
export async function findDisqualification(
  db: Db,
  challenge: string,
  participantId: number,
): Promise<Disqualification | null> {
  const all = await findDisqualifications(db, participantId);
  return all.find((each) => each.challenge === null || each.challenge === challenge) ?? null;
}

/** Throws disqualified, with the reason. */
export async function requireNotDisqualified(
  db: Db,
  challenge: string,
  participantId: number,
): Promise<void> {
  const found = await findDisqualification(db, challenge, participantId);
  if (!found) return;
  throw new CrowdaiError(
    "disqualified",
    `${found.challenge === null ? "You are disqualified" : `You are disqualified in ${challenge}`}: ${found.reason}`,
    { details: { ...found } },
  );
}
