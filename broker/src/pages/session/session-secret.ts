import { randomBytes } from "node:crypto";
import type { Db } from "../../records/records.ts";

const NAME = "page_session_secret";

/** The key behind the cookies and forms of the pages: in the records, so that every broker of an installation has it. */
export async function readSessionSecret(db: Db): Promise<string> {
  const known = await db.selectFrom("settings").select("value").where("name", "=", NAME).executeTakeFirst();
  if (known) return known.value;
  await db
    .insertInto("settings")
    .values({ name: NAME, value: randomBytes(32).toString("base64url") })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  return readSessionSecret(db);
}
