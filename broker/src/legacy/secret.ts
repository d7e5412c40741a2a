import { randomBytes } from "node:crypto";
import type { Db } from "../records/records.ts";

const NAME = "legacy_uploads_secret";

/** The key behind the upload addresses of older clients: in the records, so that every broker of an installation has it. */
export async function readUploadSecret(db: Db): Promise<string> {
  const known = await db.selectFrom("settings").select("value").where("name", "=", NAME).executeTakeFirst();
  if (known) return known.value;
  await db
    .insertInto("settings")
    .values({ name: NAME, value: randomBytes(32).toString("base64url") })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  return readUploadSecret(db);
}
