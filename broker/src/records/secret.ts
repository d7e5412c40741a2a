import { randomBytes } from "node:crypto";
import type { Db } from "./records.ts";

/**
 * The secrets of an installation: for the cookies and forms of the pages, for the upload addresses of older
 * clients, for the seeds and instance ids of environments, and for the signatures of webhooks. Stored in the
 * records, so that all brokers share them.
 */
export type SecretName =
  | "page_session_secret"
  | "legacy_uploads_secret"
  | "environment_secret"
  | "webhook_secret";

/** Returns the secret with that name, which is created at its first use. */
export async function readSecret(db: Db, name: SecretName): Promise<string> {
  const known = await db.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirst();
  if (known) return known.value;
  await db
    .insertInto("settings")
    .values({ name, value: randomBytes(32).toString("base64url") })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  return readSecret(db, name);
}
