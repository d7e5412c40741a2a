import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Caller } from "../participants/keys.ts";
import type { Db } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";
import { isInvited } from "./invitations.ts";

/** Who looks: null is anybody. */
export type Viewer = Pick<Caller, "kind" | "id"> | null;

/** Whether the viewer is an organiser of this challenge. */
export async function isOrganizerOf(db: Db, viewer: Viewer, challenge: string): Promise<boolean> {
  if (viewer?.kind !== "organizer") return false;
  const scope = await db
    .selectFrom("organizer_challenges")
    .select("challenge")
    .where("organizer_id", "=", viewer.id)
    .where("challenge", "=", challenge)
    .executeTakeFirst();
  return scope !== undefined;
}

/** A private challenge is there for its organisers and for who is invited. */
export async function maySeeChallenge(db: Db, config: ChallengeConfig, viewer: Viewer): Promise<boolean> {
  if (!config.visibility.private) return true;
  if (viewer?.kind === "participant") return isInvited(db, config.id, viewer.id);
  return isOrganizerOf(db, viewer, config.id);
}

/** Throws no_key or not_allowed for a private challenge that the viewer has no part in. */
export async function requireVisible(db: Db, config: ChallengeConfig, viewer: Viewer): Promise<void> {
  if (await maySeeChallenge(db, config, viewer)) return;
  if (viewer === null) throw new CrowdaiError("no_key", `${config.id} is private.`);
  throw new CrowdaiError("not_allowed", `${config.id} is private, and you have not been invited.`, {
    next: "Ask the organiser for an invitation.",
  });
}

/** A leaderboard that is not displayed is there for the challenge's organisers. Throws not_allowed, and as requireVisible. */
export async function requireBoardVisible(db: Db, config: ChallengeConfig, viewer: Viewer): Promise<void> {
  await requireVisible(db, config, viewer);
  if (config.visibility.leaderboard || (await isOrganizerOf(db, viewer, config.id))) return;
  throw new CrowdaiError("not_allowed", `The leaderboard of ${config.id} is not displayed yet.`);
}

/**
 * A submission is its participant's and the organisers'. Others see it where the challenge shows submissions and its leaderboard; of a
 * private challenge, those who are invited, once its last round has ended.
 */
export async function maySeeSubmission(
  db: Db,
  config: ChallengeConfig | undefined,
  viewer: Viewer,
  row: Pick<SubmissionRow, "participant_id" | "challenge" | "function" | "dry_run">,
  now: Date,
): Promise<boolean> {
  if (viewer?.kind === "participant" && viewer.id === row.participant_id) return true;
  if (await isOrganizerOf(db, viewer, row.challenge)) return true;
  if (!config?.visibility.submissions || !config.visibility.leaderboard) return false;
  if (row.function !== "submit" || row.dry_run === 1) return false;
  if (!config.visibility.private) return true;
  const isOver = config.rounds.every((round) => roundState(round, now) === "ended");
  return isOver && (await maySeeChallenge(db, config, viewer));
}
