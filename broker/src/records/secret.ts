import { randomBytes } from "node:crypto";
import type { Db } from "./records.ts";

/**
 * The secrets of an installation: the one behind the cookies and forms of the pages, and the one behind the upload addresses of older
 * clients. In the records, so that every broker has the same.
 */
export type SecretName = "page_session_secret" | "legacy_uploads_secret";

/** The secret of that name, which is made at the first use. */
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
