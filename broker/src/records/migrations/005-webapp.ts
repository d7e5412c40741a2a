import { type Kysely, sql } from "kysely";

// A migration imports no application code: it must never change.
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("submissions")
    .addColumn("baseline", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable("submissions").addColumn("baseline_comment", "text").execute();
  // Baselines are few, and every board reads them.
  await sql`create index submissions_baseline on submissions (challenge, round) where baseline = 1`.execute(
    db,
  );

  await db.schema
    .createTable("webapp_participants")
    .addColumn("webapp_id", "integer", (c) => c.primaryKey())
    .addColumn("participant_id", "integer", (c) => c.notNull().unique().references("participants.id"))
    .execute();
  await db.schema
    .createTable("webapp_keys")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("verified_at", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("webapp_keys_participant").on("webapp_keys").column("participant_id").execute();

  await db.schema
    .createTable("webapp_submissions")
    .addColumn("submission", "text", (c) => c.primaryKey())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("number", "integer")
    .addColumn("sealed_key", "text")
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("news", "integer", (c) => c.notNull())
    .addColumn("told", "integer", (c) => c.notNull())
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("next_try_at", "text")
    .addColumn("claimed_until", "text")
    .addColumn("outcome", "text")
    .addColumn("note", "text")
    .execute();
  await sql`create index webapp_submissions_news on webapp_submissions (created_at) where told < news`.execute(
    db,
  );
  await db.schema
    .createIndex("webapp_submissions_challenge_number")
    .on("webapp_submissions")
    .columns(["challenge", "number"])
    .execute();
}
