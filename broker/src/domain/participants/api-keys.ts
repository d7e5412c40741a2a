import { CrowdaiError, createApiKey, hashApiKey, mayBeApiKey } from "@crowdai/shared";
import type { Transaction } from "kysely";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { Tables } from "../../records/tables.ts";
import { type KeyName, knownSpelling, newKeyName, noSuchKey, requireKeyName } from "./key-names.ts";

export interface Caller {
  kind: "participant" | "organizer";
  id: number;
  name: string;
  /** The person of a team whose key it is. */
  member?: string;
  keyHash: string;
  /** The CI job whose session this is; absent for a key. */
  session?: { issuer: string; repository: string; ref: string; expires_at: string };
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
  const member = row.member === null ? {} : { member: row.member };
  return { kind: row.owner, id: row.owner_id, name, ...member, keyHash: hash };
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
      "member",
      "participants.name as participant",
      "organizers.name as organizer",
    ])
    .where("hash", "=", hash),
);

/** Throws not_allowed for an organizer, with the details. */
export function requireParticipant(caller: Caller, details?: Record<string, unknown>): Caller {
  if (caller.kind !== "participant")
    throw new CrowdaiError("not_allowed", "This is an organizer's key; only participants can submit.", {
      details,
    });
  return caller;
}

/** Throws not_allowed for the session of a CI job, which can submit and read, and not change the account. */
export function requireOwnKey(caller: Caller): Caller {
  if (caller.session)
    throw new CrowdaiError(
      "not_allowed",
      "The session of a CI job can submit and read; it cannot change keys, trust or agreements, or sign in to the pages.",
      { next: "Use your own API key." },
    );
  return caller;
}

/** Valid names: one line, without controls, marks of direction and invisible characters. */
export const NAME = /^[^\p{C}\s](?:[^\p{C}\p{Zl}\p{Zp}]{0,98}[^\p{C}\s])$/u;

/**
 * Adds a participant and returns the new key, which is not stored. Throws usage when the name is taken or
 * invalid.
 */
export async function addParticipant(
  records: Records,
  name: string,
  now: string,
  named: KeyName = {},
): Promise<string> {
  const key = newKeyName(named);
  return commit(records, "add-participant", async (trx) =>
    addKey(trx, "participant", await insertParticipant(trx, name, now), now, key),
  );
}

async function insertParticipant(trx: Db, name: string, now: string): Promise<number> {
  requireName(name);
  const made = await insertIfFree(trx, name, now);
  if (!made) throw nameTaken("participant", name);
  return made.id;
}

/** Adds a participant without a key; returns undefined when the name is taken. */
export const insertIfFree = (
  trx: Db,
  name: string,
  now: string,
): Promise<{ id: number; name: string } | undefined> =>
  trx
    .insertInto("participants")
    .values({ name: name.normalize("NFC"), name_key: nameKey(name), created_at: now })
    .onConflict((conflict) => conflict.column("name_key").doNothing())
    .returning(["id", "name"])
    .executeTakeFirst();

/**
 * Adds an organizer of some challenges and returns the new key. Throws usage when the name is taken or
 * invalid.
 */
export async function addOrganizer(
  records: Records,
  name: string,
  challenges: string[],
  now: string,
): Promise<string> {
  requireName(name);
  return commit(records, "add-organizer", async (trx) => {
    const made = await trx
      .insertInto("organizers")
      .values({ name: name.normalize("NFC"), name_key: nameKey(name), created_at: now })
      .onConflict((conflict) => conflict.column("name_key").doNothing())
      .returning("id")
      .executeTakeFirst();
    if (!made) throw nameTaken("organizer", name);
    await addScopes(trx, made.id, challenges);
    return addKey(trx, "organizer", made.id, now);
  });
}

/**
 * Replaces the challenges of an organizer, effective at once; the keys stay. Throws usage when there is no
 * organizer with that name.
 */
export async function setChallenges(records: Records, name: string, challenges: string[]): Promise<void> {
  await commit(records, "set-challenges", async (trx) => {
    const id = await lockOwner(records, trx, "organizer", name);
    await trx.deleteFrom("organizer_challenges").where("organizer_id", "=", id).execute();
    await addScopes(trx, id, challenges);
  });
}

/**
 * Issues a new key to the participant or organizer with that name and revokes the earlier ones: all of them,
 * or with `keepOthers` the one with the same label. Returns the key, which is not stored, and the number of
 * revoked keys. Throws usage when there is none of that name.
 */
export async function replaceKeys(
  records: Records,
  owner: Caller["kind"],
  name: string,
  now: string,
  { keepOthers = false, ...named }: KeyName & { keepOthers?: boolean | undefined } = {},
): Promise<{ key: string; revoked: number }> {
  const wanted = newKeyName(named);
  return commit(records, "replace-keys", async (trx) => {
    const id = await lockOwner(records, trx, owner, name);
    const key = await knownSpelling(trx, owner, id, wanted);
    const revoked =
      keepOthers && key.label === undefined
        ? 0
        : await revokeMatching(trx, owner, id, now, keepOthers ? { label: key.label } : {});
    return { key: await addKey(trx, owner, id, now, key), revoked };
  });
}

/**
 * Revokes the keys of the participant or organizer with that name: all of them, those of a member, or the one
 * with a label. Throws usage when there is no such owner, member or label.
 */
export async function revokeKeys(
  records: Records,
  owner: Caller["kind"],
  name: string,
  now: string,
  which: KeyName = {},
): Promise<number> {
  return commit(records, "revoke-keys", async (trx) => {
    const id = await lockOwner(records, trx, owner, name);
    const key = await knownSpelling(trx, owner, id, requireKeyName(which));
    const revoked = await revokeMatching(trx, owner, id, now, key);
    if (revoked === 0 && (key.label !== undefined || key.member !== undefined)) throw noSuchKey(name, key);
    return revoked;
  });
}

/** Finds the owner of a name. Until the transaction ends, other changes to this owner's keys wait. */
export async function lockOwner(
  records: Records,
  trx: Transaction<Tables>,
  owner: Caller["kind"],
  name: string,
): Promise<number> {
  const row = await trx
    .selectFrom(owner === "participant" ? "participants" : "organizers")
    .select("id")
    .where("name_key", "=", nameKey(name))
    .executeTakeFirst();
  if (!row)
    throw new CrowdaiError("usage", `There is no ${owner} named "${name}".`, {
      next: `Run \`crowdai-broker ${owner} list\` to see the names.`,
    });
  await records.lock(trx, `api-keys:${owner}:${row.id}`);
  return row.id;
}

async function revokeMatching(
  db: Db,
  owner: Caller["kind"],
  ownerId: number,
  now: string,
  { label, member }: KeyName,
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable("api_keys")
    .set({ revoked_at: now })
    .where("owner", "=", owner)
    .where("owner_id", "=", ownerId)
    .where("revoked_at", "is", null)
    .$if(label !== undefined, (keys) => keys.where("label", "=", label as string))
    .$if(member !== undefined, (keys) => keys.where("member", "=", member as string))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

async function addScopes(db: Db, organizer_id: number, challenges: string[]): Promise<void> {
  const values = [...new Set(challenges)].map((challenge) => ({ organizer_id, challenge }));
  await db.insertInto("organizer_challenges").values(values).execute();
}

/** Issues a further key to an owner, and returns it. */
export async function addKey(
  db: Db,
  owner: Caller["kind"],
  ownerId: number,
  now: string,
  { label, member }: KeyName = {},
): Promise<string> {
  const key = createApiKey();
  await db
    .insertInto("api_keys")
    .values({
      ...{ hash: hashApiKey(key), owner, owner_id: ownerId, created_at: now, revoked_at: null },
      ...{ label: label ?? null, member: member ?? null },
    })
    .execute();
  return key;
}

/** Returns the form in which names are compared. */
export const nameKey = (name: string) => name.normalize("NFC").toLowerCase();

const nameTaken = (owner: Caller["kind"], name: string) =>
  new CrowdaiError(
    "usage",
    `There is already ${owner === "participant" ? "a" : "an"} ${owner} named "${name}".`,
    {
      next: `Run \`crowdai-broker ${owner} key <name>\` to replace a lost, leaked or revoked key.`,
    },
  );

/** Throws usage for a name that is not valid. */
export function requireName(name: string): void {
  if (!NAME.test(name))
    throw new CrowdaiError(
      "usage",
      "A name must have 2 to 100 characters, no control characters, and no spaces at either end.",
    );
}

/**
 * For `catch` after identifying a key: null for a key that is unknown, mistyped or revoked. Throws any other
 * error, such as that of a database that does not answer: it says nothing about the key.
 */
export function noCaller(error: unknown): null {
  if (error instanceof CrowdaiError && error.fault === "you") return null;
  throw error;
}
