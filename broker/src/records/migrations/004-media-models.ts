import { type Kysely, sql } from "kysely";

// A migration imports no application code: it must never change.
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("submissions").addColumn("media_preview", "text").execute();
  await db.schema.alterTable("submissions").addColumn("media_dropped", "text").execute();
  await db.schema
    .alterTable("submissions")
    .addColumn("model_count", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  // Only media that a submission shows are served, so each request looks up its key.
  for (const column of ["media_large", "media_thumbnail", "media_preview"])
    await sql`create index ${sql.ref(`submissions_${column}`)} on submissions (${sql.ref(column)})
      where ${sql.ref(column)} is not null`.execute(db);

  await db.schema
    .createTable("models")
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("position", "integer", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("size", "bigint", (c) => c.notNull())
    .addColumn("sha256", "text", (c) => c.notNull())
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("part_size", "bigint")
    .addColumn("md5", "text")
    .addPrimaryKeyConstraint("models_key", ["submission", "position"])
    .execute();

  await db.schema
    .createTable("media_work")
    .addColumn("submission", "text", (c) => c.primaryKey().references("submissions.id"))
    .addColumn("attempt", "integer", (c) => c.notNull())
    .addColumn("source", "text")
    .addColumn("replaces", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("due_at", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("media_work_due_at").on("media_work").column("due_at").execute();
}
