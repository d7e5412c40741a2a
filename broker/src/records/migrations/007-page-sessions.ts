import type { Kysely } from "kysely";

/** Sessions of the pages: each ends when it expires, at a sign-out, or with its key. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("page_sessions")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("key_hash", "text", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("page_sessions_expiry").on("page_sessions").column("expires_at").execute();
}
