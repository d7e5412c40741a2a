import type { Kysely } from "kysely";

/** What a session keeps of a key is its digest, or with a webapp elsewhere the key, sealed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("page_sessions").renameColumn("key_hash", "kept_key").execute();
}
