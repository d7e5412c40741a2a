import type { Kysely } from "kysely";

/** Submissions that were sealed on a machine without a network store when, by the clock of that machine. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("submissions").addColumn("sealed_at", "text").execute();
}
