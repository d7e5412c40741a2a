import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../records/records.ts";

/** Whether the participant may take part in a private challenge. */
export async function isInvited(db: Db, challenge: string, participantId: number): Promise<boolean> {
  const row = await db
    .selectFrom("invitations")
    .select("challenge")
    .where("challenge", "=", challenge)
    .where("participant_id", "=", participantId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Throws not_allowed when the challenge is private and the participant was not invited. */
export async function requireInvitation(
  db: Db,
  { id, visibility }: ChallengeConfig,
  participantId: number,
): Promise<void> {
  if (!visibility.private || (await isInvited(db, id, participantId))) return;
  throw new CrowdaiError("not_allowed", `${id} is private, and you have not been invited.`, {
    next: "Ask the organiser for an invitation.",
  });
}
