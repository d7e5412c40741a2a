import { CrowdaiError, createApiKey, hashApiKey, mayBeApiKey } from "@crowdai/shared";
import type { Db, Records } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";

export interface Caller {
  kind: "participant" | "organizer";
  id: number;
  name: string;
  keyHash: string;
}

/**
 * Returns the owner of a key. Throws no_key, key_malformed, key_unknown or key_revoked. The lookup is by
 * digest, so its duration reveals nothing about stored keys.
 */
export async function identify(db: Db, key: string | undefined): Promise<Caller> {
  if (!key) throw new CrowdaiError("no_key");
  if (!mayBeApiKey(key)) throw new CrowdaiError("key_malformed");
  return identifyHash(db, hashApiKey(key));
}

/** Returns the owner of a key with this digest. Throws key_unknown or key_revoked. */
export async function identifyHash(db: Db, hash: string): Promise<Caller> {
  const row = await keyAndOwner(db, { hash });
  if (!row) throw new CrowdaiError("key_unknown");
  if (row.revoked_at)
    throw new CrowdaiError("key_revoked", undefined, { details: { revoked_at: row.revoked_at } });
  const name = row.participant ?? row.organizer;
  if (name === null) throw new Error(`key of ${row.owner} ${row.owner_id}, which does not exist`);
  return { kind: row.owner, id: row.owner_id, name, keyHash: hash };
}

const keyAndOwner = lookup((db, { hash }: { hash: string }) =>
  db
    .selectFrom("api_keys")
    .leftJoin("participants", (join) =>
      join.on("owner", "=", "participant").onRef("participants.id", "=", "owner_id"),
    )
    .leftJoin("organizers", (join) =>
      join.on("owner", "=", "organizer").onRef("organizers.id", "=", "owner_id"),
    )
    .select([
      "owner",
      "owner_id",
      "revoked_at",
      "participants.name as participant",
      "organizers.name as organizer",
    ])
    .where("hash", "=", hash),
);

/** Throws not_allowed for an organizer. */
export function requireParticipant(caller: Caller): Caller {
  if (caller.kind !== "participant")
    throw new CrowdaiError("not_allowed", "This is an organizer's key; only participants can submit.");
  return caller;
}

/** Valid names. */
export const NAME = /^[^\p{C}\s](?:[^\p{C}]{0,98}[^\p{C}\s])$/u;

/**
 * Adds a participant and returns the new key, which is not stored. Throws usage when the name is taken or
 * invalid.
 */
export async function addParticipant(records: Records, name: string, now: string): Promise<string> {
  requireName(name);
  return records.transaction(async (trx) => {
    const taken = await trx
      .selectFrom("participants")
      .select("id")
      .where("name_key", "=", nameKey(name))
      .executeTakeFirst();
    if (taken) throw new CrowdaiError("usage", `There is already a participant named "${name}".`);
    const { id } = await trx
      .insertInto("participants")
      .values({ name, name_key: nameKey(name), created_at: now })
      .returning("id")
      .executeTakeFirstOrThrow();
    return addKey(trx, "participant", id, now);
  });
}

/** Adds an organizer of some challenges, or challenges to an organizer, and returns a new key. */
export async function addOrganizer(
  records: Records,
  name: string,
  challenges: string[],
  now: string,
): Promise<string> {
  requireName(name);
  return records.transaction(async (trx) => {
    const taken = await trx
      .selectFrom("organizers")
      .select("id")
      .where("name_key", "=", nameKey(name))
      .executeTakeFirst();
    if (taken) throw new CrowdaiError("usage", `There is already an organizer named "${name}".`);
    const { id } = await trx
      .insertInto("organizers")
      .values({ name, name_key: nameKey(name), created_at: now })
      .returning("id")
      .executeTakeFirstOrThrow();
    for (const challenge of new Set(challenges))
      await trx.insertInto("organizer_challenges").values({ organizer_id: id, challenge }).execute();
    return addKey(trx, "organizer", id, now);
  });
}

/** Revokes every key of the participant or organizer with that name. Throws usage when there is none. */
export async function revokeKeys(
  records: Records,
  owner: Caller["kind"],
  name: string,
  now: string,
): Promise<number> {
  return records.transaction(async (trx) => {
    const table = owner === "participant" ? "participants" : "organizers";
    const row = await trx
      .selectFrom(table)
      .select("id")
      .where("name_key", "=", nameKey(name))
      .executeTakeFirst();
    if (!row) throw new CrowdaiError("usage", `There is no ${owner} named "${name}".`);
    const { numUpdatedRows } = await trx
      .updateTable("api_keys")
      .set({ revoked_at: now })
      .where("owner", "=", owner)
      .where("owner_id", "=", row.id)
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  });
}

async function addKey(db: Db, owner: Caller["kind"], ownerId: number, now: string): Promise<string> {
  const key = createApiKey();
  await db
    .insertInto("api_keys")
    .values({ hash: hashApiKey(key), owner, owner_id: ownerId, created_at: now, revoked_at: null })
    .execute();
  return key;
}

/** Returns the form in which names are compared. */
export const nameKey = (name: string) => name.normalize("NFC").toLowerCase();

function requireName(name: string): void {
  if (!NAME.test(name))
    throw new CrowdaiError(
      "usage",
      "A name must have 2 to 100 characters, no control characters, and no spaces at either end.",
    );
}
