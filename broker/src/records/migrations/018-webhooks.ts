import { type Kysely, sql } from "kysely";

/** Webhooks of challenges, and the outbox of messages for them. */
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  const serial = dialect === "sqlite" ? sql`integer` : sql`serial`;
  await db.schema
    .createTable("webhooks")
    .addColumn("id", serial, (c) => (dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey()))
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("events", "text", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("missing_since", "text")
    .addUniqueConstraint("webhooks_challenge_url", ["challenge", "url"])
    .execute();

  await db.schema
    .createTable("webhook_messages")
    .addColumn("id", serial, (c) => (dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey()))
    .addColumn("webhook", "integer", (c) => c.notNull())
    .addColumn("event", "text", (c) => c.notNull())
    .addColumn("subject", "text", (c) => c.notNull())
    .addColumn("submission", "text")
    .addColumn("data", "text", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("tries", "integer", (c) => c.notNull().defaultTo(0))
    .addColumn("next_try_at", "text", (c) => c.notNull())
    .addColumn("claimed_until", "text")
    .addColumn("ended_at", "text")
    .addColumn("outcome", "text")
    .addColumn("problem", "text")
    .addUniqueConstraint("webhook_messages_subject", ["webhook", "event", "subject"])
    .execute();
  await sql`create index webhook_messages_due on webhook_messages (webhook, next_try_at) where ended_at is null`.execute(
    db,
  );
  await db.schema.createIndex("webhook_messages_ended").on("webhook_messages").column("ended_at").execute();
}
