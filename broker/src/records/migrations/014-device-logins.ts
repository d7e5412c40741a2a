import type { Kysely } from "kysely";

/** Sign-ins of command lines that a person confirms on a page, by digests of their codes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("device_logins")
    .addColumn("device_hash", "text", (c) => c.primaryKey())
    .addColumn("user_code", "text", (c) => c.notNull().unique())
    .addColumn("client", "text", (c) => c.notNull())
    .addColumn("ip", "text", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.references("participants.id"))
    .execute();
  await db.schema.createIndex("device_logins_expiry").on("device_logins").column("expires_at").execute();
}
