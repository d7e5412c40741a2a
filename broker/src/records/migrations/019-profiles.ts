import { type Kysely, sql } from "kysely";

/** Profiles of participants, pictures that are to be removed from the store, and what operators removed. */
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  const serial = dialect === "sqlite" ? sql`integer` : sql`serial`;
  await db.schema
    .createTable("profiles")
    .addColumn("participant_id", "integer", (c) => c.primaryKey())
    .addColumn("name", "text")
    .addColumn("affiliation", "text")
    .addColumn("link", "text")
    .addColumn("picture", "text", (c) => c.unique())
    .addColumn("updated_at", "text", (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("old_pictures")
    .addColumn("key", "text", (c) => c.primaryKey())
    .addColumn("due_at", "text", (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("profile_removals")
    .addColumn("id", serial, (c) => (dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey()))
    .addColumn("participant_id", "integer", (c) => c.notNull())
    .addColumn("reason", "text")
    .addColumn("at", "text", (c) => c.notNull())
    .execute();
}
