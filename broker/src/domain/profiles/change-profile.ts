import { CrowdaiError, type ProfileChange } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import type { ProfileTable } from "../../records/tables.ts";
import { lockOwner } from "../participants/api-keys.ts";
import { readChange } from "./profile-texts.ts";

/**
 * A new picture is stored before a profile names it; one that no profile names after this time is removed.
 */
const NAMED_WITHIN_MS = 10 * 60_000;

/** Changes the texts of a participant's profile. Throws usage for what cannot be shown. */
export async function changeProfile(
  { db }: Pick<Records, "db">,
  participantId: number,
  change: ProfileChange,
  now: Date,
): Promise<void> {
  const texts = readChange(change);
  if (Object.keys(texts).length > 0) await write(db, participantId, texts, now);
}

/** Announces that a picture is about to be stored, so that it is removed if no profile comes to name it. */
export async function announcePicture(db: Db, key: string, now: Date): Promise<void> {
  await db
    .insertInto("old_pictures")
    .values({ key, due_at: iso(now.getTime() + NAMED_WITHIN_MS) })
    .execute();
}

/**
 * Replaces the picture by an announced one, or removes it. The earlier one is removed from the store
 * afterwards. Returns false when the announcement has expired: nothing was changed, and the picture may have
 * been stored after its removal.
 */
export async function replacePicture(
  records: Records,
  participantId: number,
  key: string | null,
  now: Date,
): Promise<boolean> {
  return commit(records, "replace-picture", async (trx) => {
    await records.lock(trx, lockName(participantId));
    if (key === null) {
      await dropPicture(trx, participantId, now);
      await trx
        .updateTable("profiles")
        .set({ picture: null, updated_at: iso(now) })
        .where("participant_id", "=", participantId)
        .execute();
      return true;
    }
    const { numDeletedRows } = await trx
      .deleteFrom("old_pictures")
      .where("key", "=", key)
      .where("due_at", ">", iso(now))
      .executeTakeFirst();
    if (numDeletedRows !== 1n) return false;
    await dropPicture(trx, participantId, now);
    await write(trx, participantId, { picture: key }, now);
    return true;
  });
}

/** Removes a participant's profile. */
export async function clearProfile(records: Records, participantId: number, now: Date): Promise<void> {
  await commit(records, "clear-profile", async (trx) => {
    await records.lock(trx, lockName(participantId));
    await removeProfile(trx, participantId, now);
  });
}

/**
 * Removes a participant's profile as an operator, and keeps when and why. Throws usage when the participant
 * is unknown, or has no profile.
 */
export async function removeProfileOf(
  records: Records,
  name: string,
  reason: string | null,
  now: Date,
): Promise<void> {
  await commit(records, "remove-profile", async (trx) => {
    const id = await lockOwner(records, trx, "participant", name);
    await records.lock(trx, lockName(id));
    if (!(await removeProfile(trx, id, now)))
      throw new CrowdaiError("usage", `${name} has no profile, so nothing was removed.`);
    await trx
      .insertInto("profile_removals")
      .values({ participant_id: id, reason, at: iso(now) })
      .execute();
  });
}

const lockName = (participantId: number) => `profile:${participantId}`;

async function write(
  db: Db,
  participant_id: number,
  change: Partial<ProfileTable>,
  now: Date,
): Promise<void> {
  const empty = { name: null, affiliation: null, link: null, picture: null };
  const changed = { ...change, updated_at: iso(now) };
  await db
    .insertInto("profiles")
    .values({ participant_id, ...empty, ...changed })
    .onConflict((conflict) => conflict.column("participant_id").doUpdateSet(changed))
    .execute();
}

async function removeProfile(trx: Db, participantId: number, now: Date): Promise<boolean> {
  await dropPicture(trx, participantId, now);
  const { numDeletedRows } = await trx
    .deleteFrom("profiles")
    .where("participant_id", "=", participantId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Queues the removal of the picture that a profile shows now. */
async function dropPicture(trx: Db, participantId: number, now: Date): Promise<void> {
  const row = await trx
    .selectFrom("profiles")
    .select("picture")
    .where("participant_id", "=", participantId)
    .executeTakeFirst();
  if (row?.picture)
    await trx
      .insertInto("old_pictures")
      .values({ key: row.picture, due_at: iso(now) })
      .execute();
}
