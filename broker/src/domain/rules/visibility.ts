import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import { isInvited } from "./is-invited.ts";
import { isPublic } from "./is-public.ts";

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

/** How much of a board, or of a list of submissions, somebody sees. */
export type Sight = "all" | "own";

/**
 * How much the viewer sees of the challenge's leaderboard. One that is not displayed is there for the challenge's organisers alone; who
 * took part in a private challenge and is no longer invited sees the row that is theirs. Throws not_allowed, and as requireVisible.
 */
export async function sightOfBoard(db: Db, config: ChallengeConfig, viewer: Viewer): Promise<Sight> {
  if (await isOrganizerOf(db, viewer, config.id)) return "all";
  const isOut = !(await maySeeChallenge(db, config, viewer));
  if (isOut && !(await tookPart(db, config.id, viewer))) await requireVisible(db, config, viewer);
  if (!config.visibility.leaderboard)
    throw new CrowdaiError("not_allowed", `The leaderboard of ${config.id} is not displayed yet.`);
  return isOut ? "own" : "all";
}

/**
 * How much the viewer sees of the challenge's submissions. Others' are shown where leaderboard and submissions both are; in a private
 * challenge to those who are invited, once its last round has ended. Throws not_allowed when there is nothing to be seen.
 */
export async function sightOfSubmissions(
  db: Db,
  config: ChallengeConfig,
  viewer: Viewer,
  now: Date,
): Promise<Sight> {
  if (await isOrganizerOf(db, viewer, config.id)) return "all";
  const shown = showsSubmissions(config, now) && (await maySeeChallenge(db, config, viewer));
  if (shown) return "all";
  if (viewer?.kind === "participant") return "own";
  throw new CrowdaiError("not_allowed", `${config.id} shows its submissions to its participants only.`);
}

/** Whether others' submissions are shown to whoever sees the challenge. */
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

/** As whom somebody sees a submission. What is left out for `other` is said by redactSubmission. */
export type SubmissionAccess = "own" | "organizer" | "other";

/**
 * A submission is its participant's and the organisers'. Others see it once it is published, or where the challenge shows submissions and
 * its leaderboard; of a private challenge, those who are invited, once its last round has ended. Null for who does not see it at all.
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
