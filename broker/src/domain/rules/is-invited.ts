import type { Db } from "../../records/records.ts";

/** Returns whether the participant may take part in a private challenge. */
export async function isInvited(db: Db, challenge: string, participantId: number): Promise<boolean> {
  const row = await db
    .selectFrom("invitations")
    .select("challenge")
    .where("challenge", "=", challenge)
    .where("participant_id", "=", participantId)
    .executeTakeFirst();
  return row !== undefined;
}
