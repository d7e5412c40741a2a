import type { Kysely } from "kysely";

/** An attempt stores the record of how code was run apart from its outcome. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("attempts").addColumn("run", "text").execute();
}
