import type { Profile } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import type { ProfileTable } from "../../records/tables.ts";

export const NO_PROFILE: Profile = { name: null, affiliation: null, link: null, picture: null };

/** Returns whether the challenge shows what participants set for themselves. */
export const showsProfiles = ({ visibility }: Pick<ChallengeConfig, "visibility">): boolean =>
  visibility.profiles ?? !visibility.private;

/** Returns the address of a picture. Anyone with it can open it, until the picture is replaced or removed. */
const pictureUrl = (key: string, baseUrl: string) => `${baseUrl}/media/${key}`;

export function viewProfile(
  row: Pick<ProfileTable, "name" | "affiliation" | "link" | "picture">,
  baseUrl: string,
): Profile {
  const { name, affiliation, link, picture } = row;
  return { name, affiliation, link, picture: picture && pictureUrl(picture, baseUrl) };
}

/** Returns a participant's profile; all parts are null without one. */
export async function readProfile(db: Db, participantId: number, baseUrl: string): Promise<Profile> {
  const row = await db
    .selectFrom("profiles")
    .selectAll()
    .where("participant_id", "=", participantId)
    .executeTakeFirst();
  return row ? viewProfile(row, baseUrl) : NO_PROFILE;
}

/** Returns the stored profiles of these participants, by their ids. */
export async function readProfiles(
  db: Db,
  participants: readonly number[],
): Promise<ReadonlyMap<number, Pick<ProfileTable, "name" | "affiliation" | "link" | "picture">>> {
  if (participants.length === 0) return new Map();
  const rows = await db
    .selectFrom("profiles")
    .selectAll()
    .where("participant_id", "in", participants)
    .execute();
  return new Map(rows.map((row) => [row.participant_id, row]));
}

/** Returns the profiles of the participants of these submissions, by the ids of the submissions. */
export async function profilesOf(
  db: Db,
  submissions: readonly string[],
  baseUrl: string,
): Promise<ReadonlyMap<string, Profile>> {
  if (submissions.length === 0) return new Map();
  const rows = await db
    .selectFrom("submissions")
    .innerJoin("profiles", "profiles.participant_id", "submissions.participant_id")
    .select(["submissions.id", "profiles.name", "affiliation", "link", "picture"])
    .where("submissions.id", "in", submissions)
    .execute();
  return new Map(rows.map((row) => [row.id, viewProfile(row, baseUrl)]));
}
