import type { Kysely } from "kysely";

/** A session stores the digest of its key or, with a remote webapp, the encrypted key. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("page_sessions").renameColumn("key_hash", "kept_key").execute();
}
