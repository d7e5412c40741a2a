import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Caller } from "../participants/keys.ts";
import type { Db } from "../records/records.ts";
import { isInvited } from "./invitations.ts";

/** How much of a board, or of a list of submissions, somebody sees. */
export type Sight = "all" | "own";

/** Throws not_allowed when the viewer may see nothing of the challenge's leaderboard. */
export async function sightOfBoard(db: Db, config: ChallengeConfig, viewer: Caller | null): Promise<Sight> {
  if (await organises(db, config.id, viewer)) return "all";
  if (!config.visibility.leaderboard)
    throw new CrowdaiError("not_allowed", `The leaderboard of ${config.id} is not displayed yet.`);
  if (!config.visibility.private) return "all";
  if (viewer?.kind !== "participant") throw isPrivate(config, "leaderboard");
  return (await isInvited(db, config.id, viewer.id)) ? "all" : "own";
}

/**
 * Throws not_allowed when the viewer may see none of the challenge's submissions. Others' are shown where leaderboard and submissions
 * both are; in a private challenge to those who were invited, once it is completed.
 */
export async function sightOfSubmissions(
  db: Db,
  config: ChallengeConfig,
  viewer: Caller | null,
  now: Date,
): Promise<Sight> {
  if (await organises(db, config.id, viewer)) return "all";
  const { leaderboard, submissions, private: invitedOnly } = config.visibility;
  const areShown = leaderboard && submissions;
  if (areShown && !invitedOnly) return "all";
  if (viewer?.kind !== "participant") throw isPrivate(config, "submissions");
  const isOneOfThem = areShown && isCompleted(config, now) && (await isInvited(db, config.id, viewer.id));
  return isOneOfThem ? "all" : "own";
}

const isCompleted = (config: ChallengeConfig, now: Date): boolean =>
  config.rounds.every((round) => roundState(round, now) === "ended");

const isPrivate = (config: ChallengeConfig, what: string) =>
  new CrowdaiError("not_allowed", `${config.id} shows its ${what} to its participants only.`);

/** Whether the viewer is an organiser of this challenge; of another one is not enough. */
export async function organises(db: Db, challenge: string, viewer: Caller | null): Promise<boolean> {
  if (viewer?.kind !== "organizer") return false;
  const scope = await db
    .selectFrom("organizer_challenges")
    .select("challenge")
    .where("organizer_id", "=", viewer.id)
    .where("challenge", "=", challenge)
    .executeTakeFirst();
  return scope !== undefined;
}
