import { type Kysely, sql } from "kysely";

/** CI jobs that may act as a participant, their short sessions, and the tokens that were exchanged for them. */
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  await db.schema
    .createTable("ci_trusts")
    .addColumn("id", dialect === "sqlite" ? sql`integer` : sql`serial`, (c) =>
      dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
    )
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("key_hash", "text", (c) => c.notNull().references("api_keys.hash"))
    .addColumn("issuer", "text", (c) => c.notNull())
    .addColumn("repository", "text", (c) => c.notNull())
    .addColumn("repository_key", "text", (c) => c.notNull())
    .addColumn("ref", "text")
    .addColumn("environment", "text")
    .addColumn("repository_id", "text")
    .addColumn("owner_id", "text")
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("ip", "text", (c) => c.notNull())
    .addColumn("user_agent", "text", (c) => c.notNull())
    .addColumn("last_used_at", "text")
    .addColumn("revoked_at", "text")
    .execute();
  await db.schema
    .createIndex("ci_trusts_repository")
    .on("ci_trusts")
    .columns(["issuer", "repository_key"])
    .execute();
  await db.schema.createIndex("ci_trusts_participant").on("ci_trusts").column("participant_id").execute();

  await db.schema
    .createTable("ci_sessions")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("trust_id", "integer", (c) => c.notNull().references("ci_trusts.id"))
    .addColumn("token_hash", "text", (c) => c.notNull())
    .addColumn("ref", "text", (c) => c.notNull())
    .addColumn("run", "text")
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("ci_sessions_expiry").on("ci_sessions").column("expires_at").execute();

  await db.schema
    .createTable("ci_tokens")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("ci_tokens_expiry").on("ci_tokens").column("expires_at").execute();
}
