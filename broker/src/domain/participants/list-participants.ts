import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { type Disqualification, findDisqualifications } from "./disqualifications.ts";
import { type ListedKey, listKeys } from "./list-keys.ts";

export interface ListedParticipant {
  id: number;
  name: string;
  created_at: string;
  submissions: number;
  /** Whether any of the participant's keys still works, including known keys of a remote webapp. */
  active: boolean;
  /** The keys that work, oldest first. */
  keys: Omit<ListedKey, "revoked_at">[];
  /** In force. */
  disqualified: Disqualification[];
}

export async function listParticipants(db: Db): Promise<ListedParticipant[]> {
  const rows = await db
    .selectFrom("participants")
    .select(["id", "name", "created_at"])
    .select((eb) => [
      eb
        .selectFrom("submissions")
        .select(sql<number>`count(*)`.as("n"))
        .whereRef("participant_id", "=", "participants.id")
        .where("function", "=", "submit")
        .as("submissions"),
      eb
        .selectFrom("webapp_keys")
        .select(sql<number>`count(*)`.as("n"))
        .whereRef("participant_id", "=", "participants.id")
        .as("webapp_keys"),
    ])
    .orderBy("id")
    .execute();
  const keysOf = new Map<number, ListedParticipant["keys"]>();
  for (const { owner_id, hash, revoked_at, ...key } of await listKeys(db))
    if (revoked_at === null) keysOf.set(owner_id, [...(keysOf.get(owner_id) ?? []), key]);
  const decided = await db.selectFrom("disqualifications").select("participant_id").distinct().execute();
  const disqualified = new Map<number, Disqualification[]>();
  for (const { participant_id } of decided)
    disqualified.set(participant_id, await findDisqualifications(db, participant_id));
  return rows.map(({ webapp_keys, submissions, ...rest }) => {
    const keys = keysOf.get(rest.id) ?? [];
    return {
      ...rest,
      submissions: Number(submissions),
      active: keys.length + Number(webapp_keys) > 0,
      keys,
      disqualified: disqualified.get(rest.id) ?? [],
    };
  });
}

/** Returns the ids of an organizer's challenges. */
export async function challengesOf(db: Db, organizer: number): Promise<string[]> {
  const scopes = await db
    .selectFrom("organizer_challenges")
    .select("challenge")
    .where("organizer_id", "=", organizer)
    .orderBy("challenge")
    .execute();
  return scopes.map(({ challenge }) => challenge);
}

export async function listOrganizers(
  db: Db,
): Promise<{ id: number; name: string; challenges: string[]; active: boolean }[]> {
  const organizers = await db.selectFrom("organizers").select(["id", "name"]).orderBy("id").execute();
  const scopes = await db.selectFrom("organizer_challenges").selectAll().orderBy("challenge").execute();
  const keys = await db
    .selectFrom("api_keys")
    .select("owner_id")
    .where("owner", "=", "organizer")
    .where("revoked_at", "is", null)
    .execute();
  return organizers.map(({ id, name }) => ({
    id,
    name,
    challenges: scopes.filter((scope) => scope.organizer_id === id).map(({ challenge }) => challenge),
    active: keys.some(({ owner_id }) => owner_id === id),
  }));
}
