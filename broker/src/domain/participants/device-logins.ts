import { createHash, randomBytes, randomInt } from "node:crypto";
import { CrowdaiError } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { addKey, type Caller } from "./api-keys.ts";
import { KEY_NAME } from "./key-names.ts";

const LIFETIME_MS = 10 * 60_000;
/** Consonants that are not mistaken for one another; no words arise. */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";

/** A sign-in of a command line that a person has yet to confirm. */
export interface DeviceLogin {
  user_code: string;
  client: string;
  ip: string;
  created_at: string;
}

/**
 * Starts a sign-in. The device code, which is not stored, fetches the key once the user code is confirmed.
 */
export async function startDeviceLogin(
  { db }: Pick<Records, "db">,
  { client, ip, now }: { client: string; ip: string; now: Date },
): Promise<{ device_code: string; user_code: string; expires_at: string }> {
  await db.deleteFrom("device_logins").where("expires_at", "<", iso(now.getTime())).execute();
  const device_code = randomBytes(32).toString("base64url");
  const letters = Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  const user_code = `${letters.slice(0, 4)}-${letters.slice(4)}`;
  const expires_at = iso(now.getTime() + LIFETIME_MS);
  await db
    .insertInto("device_logins")
    .values({
      ...{ device_hash: hash(device_code), user_code, client: client.slice(0, 200), ip },
      ...{ created_at: iso(now.getTime()), expires_at, participant_id: null },
    })
    .execute();
  return { device_code, user_code, expires_at };
}

/** Returns the sign-in that waits for a confirmation of this code, however it is typed, or null. */
export async function findDeviceLogin(db: Db, code: string, now: Date): Promise<DeviceLogin | null> {
  const letters = code.toUpperCase().replace(/[^A-Z]/g, "");
  const found = await db
    .selectFrom("device_logins")
    .select(["user_code", "client", "ip", "created_at"])
    .where("user_code", "=", `${letters.slice(0, 4)}-${letters.slice(4)}`)
    .where("participant_id", "is", null)
    .where("expires_at", ">", iso(now.getTime()))
    .executeTakeFirst();
  return found ?? null;
}

/** Lets the command line sign in as the participant. Returns false for a code that no longer waits. */
export async function confirmDeviceLogin(
  db: Db,
  { user_code }: Pick<DeviceLogin, "user_code">,
  { id, member }: Pick<Caller, "id" | "member">,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("device_logins")
    .set({ participant_id: id, member: member ?? null })
    .where("user_code", "=", user_code)
    .where("participant_id", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function refuseDeviceLogin(
  db: Db,
  { user_code }: Pick<DeviceLogin, "user_code">,
): Promise<void> {
  await db.deleteFrom("device_logins").where("user_code", "=", user_code).execute();
}

/**
 * Returns a new key of the participant who confirmed the sign-in; once. Throws login_pending before that, and
 * login_expired for a code that has expired, was refused or was used.
 */
export async function claimDeviceLogin(records: Records, deviceCode: string, now: Date): Promise<string> {
  return commit(records, "device-logins", async (trx) => {
    const device_hash = hash(deviceCode);
    await records.lock(trx, `device-login:${device_hash}`);
    const found = await trx
      .selectFrom("device_logins")
      .select(["participant_id", "member", "client", "expires_at"])
      .where("device_hash", "=", device_hash)
      .executeTakeFirst();
    if (!found || found.expires_at <= iso(now.getTime())) throw new CrowdaiError("login_expired");
    if (found.participant_id === null) throw new CrowdaiError("login_pending");
    await trx.deleteFrom("device_logins").where("device_hash", "=", device_hash).execute();
    const member = found.member ?? undefined;
    const client = found.client.normalize("NFC").trim().slice(0, 100).trim();
    const label = KEY_NAME.test(client) ? client : undefined;
    return addKey(trx, "participant", found.participant_id, iso(now.getTime()), { label, member });
  });
}

const hash = (code: string) => createHash("sha256").update(code).digest("hex");
