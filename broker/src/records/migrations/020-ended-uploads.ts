import type { Kysely } from "kysely";

/** Submissions that ended before their upload was accepted: what arrives afterwards is removed when it is due. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("ended_uploads")
    .addColumn("submission", "text", (c) => c.primaryKey())
    .addColumn("due_at", "text", (c) => c.notNull())
    .execute();
}
