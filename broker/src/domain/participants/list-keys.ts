import { type Clock, iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import { nameKey } from "./api-keys.ts";

/** A key as its owner sees it. */
export interface ListedKey {
  label: string | null;
  member: string | null;
  created_at: string;
  /** Within the hour; null for a key that was not used. */
  last_used_at: string | null;
  revoked_at: string | null;
}

/** Returns the keys of all participants, or of one, oldest first, with the digest and owner of each. */
export function listKeys(
  db: Db,
  owner: number | null = null,
): Promise<(ListedKey & { hash: string; owner_id: number })[]> {
  return db
    .selectFrom("api_keys")
    .select(["hash", "owner_id", "label", "member", "created_at", "last_used_at", "revoked_at"])
    .where("owner", "=", "participant")
    .$if(owner !== null, (keys) => keys.where("owner_id", "=", owner as number))
    .orderBy("created_at")
    .orderBy("label")
    .execute();
}

/** Returns the members of those of the participants who are teams: the persons whose keys work. */
export async function readMembers(
  db: Db,
  participants: readonly number[],
): Promise<ReadonlyMap<number, string[]>> {
  const members = new Map<number, string[]>();
  if (participants.length === 0) return members;
  const rows = await db
    .selectFrom("api_keys")
    .select(["owner_id", "member"])
    .select(({ fn }) => fn.min("created_at").as("since"))
    .where("member", "is not", null)
    .where("owner", "=", "participant")
    .where("owner_id", "in", participants)
    .where("revoked_at", "is", null)
    .groupBy(["owner_id", "member"])
    .orderBy("since")
    .orderBy("member")
    .execute();
  for (const { owner_id, member } of rows)
    members.set(owner_id, [...(members.get(owner_id) ?? []), member as string]);
  return members;
}

/** More than are shown of a search; their number is that of a statement's parameters. */
const MAX_FOUND = 5000;

/**
 * Returns the participants with a member whose name contains the text. Compared here: SQLite folds the case
 * of ASCII only.
 */
export async function findTeams(db: Db, text: string): Promise<number[]> {
  const members = await db
    .selectFrom("api_keys")
    .select(["owner_id", "member"])
    .distinct()
    .where("member", "is not", null)
    .where("owner", "=", "participant")
    .where("revoked_at", "is", null)
    .execute();
  const wanted = nameKey(text);
  const found = members.filter(({ member }) => nameKey(member as string).includes(wanted));
  return [...new Set(found.map(({ owner_id }) => owner_id))].slice(0, MAX_FOUND);
}

const PAUSE_MS = 3_600_000;
const MAX_REMEMBERED = 100_000;

/** Returns a function that records that a key is used, at most once an hour for each key. */
export function createUseRecorder(db: Db, clock: Clock): (hash: string) => Promise<void> {
  const recorded = new Map<string, number>();
  return async (hash) => {
    const now = clock().getTime();
    if (now - (recorded.get(hash) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return;
    if (recorded.size >= MAX_REMEMBERED) recorded.clear();
    recorded.set(hash, now);
    await db
      .updateTable("api_keys")
      .set({ last_used_at: iso(now) })
      .where("hash", "=", hash)
      .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", iso(now - PAUSE_MS))]))
      .execute();
  };
}
