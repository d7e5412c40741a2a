import type { Kysely } from "kysely";

/** Attempts store how an agent played. Sessions that were opened over HTTP store the key that opened them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("attempts").addColumn("environment", "text").execute();
  await db.schema
    .createTable("environment_instances")
    .addColumn("submission", "text", (column) => column.primaryKey())
    .addColumn("env_id", "text", (column) => column.notNull())
    .addColumn("kept_key", "text", (column) => column.notNull())
    .execute();
}
