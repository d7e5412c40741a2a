import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Catalog } from "../challenges/catalog.ts";
import type { Caller } from "../participants/api-keys.ts";
import { isInvited } from "./is-invited.ts";
import { isPublic } from "./is-public.ts";

/** The viewer; null is anyone. */
export type Viewer = Pick<Caller, "kind" | "id"> | null;

/** Returns whether the viewer is an organizer of this challenge. */
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

/**
 * Returns whether the viewer may see a challenge. A private one is visible to its organizers and to invited
 * participants.
 */
export async function maySeeChallenge(db: Db, config: ChallengeConfig, viewer: Viewer): Promise<boolean> {
  if (!config.visibility.private) return true;
  if (viewer?.kind === "participant") return isInvited(db, config.id, viewer.id);
  return isOrganizerOf(db, viewer, config.id);
}

/** Returns whether the viewer may see a challenge, or has submitted to it and therefore knows of it. */
export async function knowsChallenge(db: Db, config: ChallengeConfig, viewer: Viewer): Promise<boolean> {
  return (await maySeeChallenge(db, config, viewer)) || tookPart(db, config.id, viewer);
}

/** The services that a refusal needs: the error for a challenge that does not exist. */
interface RefusalNeeds {
  records: { db: Db };
  catalog: { unknown(id: string): CrowdaiError };
}

/**
 * Throws challenge_unknown for a private challenge that the viewer may not see, as for one that does not
 * exist. A former participant, who knows that it exists, receives not_allowed.
 */
export async function requireVisible(
  { records: { db }, catalog }: RefusalNeeds,
  config: ChallengeConfig,
  viewer: Viewer,
): Promise<void> {
  if (await maySeeChallenge(db, config, viewer)) return;
  if (!(await tookPart(db, config.id, viewer))) throw catalog.unknown(config.id);
  throw new CrowdaiError("not_allowed", `${config.id} is private, and you are no longer invited.`, {
    next: "Ask the organizer for an invitation.",
  });
}

/** How much of a board, or of a list of submissions, the viewer sees. */
export type Sight = "all" | "own";

/**
 * Returns how much the viewer sees of the challenge's leaderboard. A hidden one is visible to the challenge's
 * organizers only; a participant of a private challenge who is no longer invited sees their own row. Throws
 * not_allowed, and the errors of requireVisible.
 */
export async function sightOfBoard(
  context: RefusalNeeds,
  config: ChallengeConfig,
  viewer: Viewer,
): Promise<Sight> {
  const { db } = context.records;
  if (await isOrganizerOf(db, viewer, config.id)) return "all";
  const isOut = !(await maySeeChallenge(db, config, viewer));
  if (isOut && !(await tookPart(db, config.id, viewer))) await requireVisible(context, config, viewer);
  if (!config.visibility.leaderboard)
    throw new CrowdaiError("not_allowed", `The leaderboard of ${config.id} is not displayed yet.`);
  return isOut ? "own" : "all";
}

/** Returns whether everyone may see the leaderboard of a challenge, by its current settings. */
export function isOpenBoard(catalog: Pick<Catalog, "all">, challenge: string): boolean {
  const visibility = catalog.all().get(challenge)?.config.visibility;
  return visibility?.leaderboard === true && !visibility.private;
}

/**
 * Returns how much the viewer sees of the challenge's submissions. Those of others are shown where both
 * leaderboard and submissions are public; in a private challenge to invited participants, after its last
 * round has ended. Throws not_allowed when there is nothing to see, and the errors of requireVisible.
 */
export async function sightOfSubmissions(
  context: RefusalNeeds,
  config: ChallengeConfig,
  viewer: Viewer,
  now: Date,
): Promise<Sight> {
  const { db } = context.records;
  if (await isOrganizerOf(db, viewer, config.id)) return "all";
  if (!(await knowsChallenge(db, config, viewer))) throw context.catalog.unknown(config.id);
  const shown = showsSubmissions(config, now) && (await maySeeChallenge(db, config, viewer));
  if (shown) return "all";
  if (viewer?.kind === "participant") return "own";
  throw new CrowdaiError("not_allowed", `${config.id} shows its submissions to its participants only.`);
}

/** Returns whether others' submissions are shown to everyone who sees the challenge. */
export function showsSubmissions({ visibility, rounds }: ChallengeConfig, now: Date): boolean {
  if (!visibility.submissions || !visibility.leaderboard) return false;
  return !visibility.private || rounds.every((round) => roundState(round, now) === "ended");
}

async function tookPart(db: Db, challenge: string, viewer: Viewer): Promise<boolean> {
  if (viewer?.kind !== "participant") return false;
  const own = await db
    .selectFrom("submissions")
    .select("id")
    .where("participant_id", "=", viewer.id)
    .where("challenge", "=", challenge)
    .limit(1)
    .executeTakeFirst();
  return own !== undefined;
}

/** The role in which a viewer sees a submission. redactSubmission removes what `other` may not see. */
export type SubmissionAccess = "own" | "organizer" | "other";

/**
 * Returns the role in which the viewer sees a submission; null when they may not see it. It is visible to its
 * participant and to the organizers; to others once it is published, or where the challenge shows submissions
 * and leaderboard; in a private challenge, to invited participants after its last round has ended.
 */
export async function accessToSubmission(
  db: Db,
  config: ChallengeConfig | undefined,
  viewer: Viewer,
  row: Pick<SubmissionRow, "participant_id" | "challenge" | "function" | "dry_run" | "published_at">,
  now: Date,
): Promise<SubmissionAccess | null> {
  if (viewer?.kind === "participant" && viewer.id === row.participant_id) return "own";
  if (await isOrganizerOf(db, viewer, row.challenge)) return "organizer";
  if (row.function !== "submit" || row.dry_run === 1) return null;
  if (isPublic(row)) return "other";
  const shown =
    config !== undefined && showsSubmissions(config, now) && (await maySeeChallenge(db, config, viewer));
  return shown ? "other" : null;
}
