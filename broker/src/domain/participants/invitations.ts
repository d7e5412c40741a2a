import { CrowdaiError } from "@crowdai/shared";
import type { Db, Records } from "../../records/records.ts";
import { nameKey } from "./api-keys.ts";

/**
 * Invites a participant to private challenges; repeating it is harmless. Returns the number of new
 * invitations.
 */
export async function invite(
  { db }: Pick<Records, "db">,
  name: string,
  challenges: string[],
  now: string,
): Promise<number> {
  const participant_id = await idOf(db, name);
  const values = [...new Set(challenges)].map((challenge) => ({
    challenge,
    participant_id,
    created_at: now,
  }));
  const made = await db
    .insertInto("invitations")
    .values(values)
    .onConflict((conflict) => conflict.columns(["challenge", "participant_id"]).doNothing())
    .returning("challenge")
    .execute();
  return made.length;
}

/** Withdraws invitations; submissions stay. Returns the number of withdrawn invitations. */
export async function uninvite(
  { db }: Pick<Records, "db">,
  name: string,
  challenges: string[],
): Promise<number> {
  const gone = await db
    .deleteFrom("invitations")
    .where("participant_id", "=", await idOf(db, name))
    .where("challenge", "in", challenges)
    .returning("challenge")
    .execute();
  return gone.length;
}

export async function listInvitations(
  db: Db,
): Promise<{ challenge: string; participant: string; created_at: string }[]> {
  return db
    .selectFrom("invitations")
    .innerJoin("participants", "participants.id", "invitations.participant_id")
    .select(["invitations.challenge", "participants.name as participant", "invitations.created_at"])
    .orderBy("invitations.challenge")
    .orderBy("participants.name_key")
    .execute();
}

async function idOf(db: Db, name: string): Promise<number> {
  const row = await db
    .selectFrom("participants")
    .select("id")
    .where("name_key", "=", nameKey(name))
    .executeTakeFirst();
  if (row) return row.id;
  throw new CrowdaiError("usage", `There is no participant named "${name}".`);
}
