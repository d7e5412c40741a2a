import { type Kysely, sql } from "kysely";

// A migration imports no application code: it must never change.
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  const numberId = dialect === "sqlite" ? sql`integer` : sql`serial`;
  const table = (name: string) => db.schema.createTable(name);
  const numbered = (name: string) =>
    table(name).addColumn("id", numberId, (c) =>
      dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
    );

  await table("licence_texts")
    .addColumn("sha256", "text", (c) => c.primaryKey())
    .addColumn("licence", "text", (c) => c.notNull())
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("kept_at", "text", (c) => c.notNull())
    .execute();
  await numbered("agreements")
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("licence", "text", (c) => c.notNull())
    .addColumn("text_sha256", "text", (c) => c.notNull().references("licence_texts.sha256"))
    .addColumn("agreed_at", "text", (c) => c.notNull())
    .addColumn("ip", "text", (c) => c.notNull())
    .addColumn("user_agent", "text", (c) => c.notNull())
    .addColumn("given_at", "text", (c) => c.notNull())
    .addUniqueConstraint("agreements_once", ["participant_id", "text_sha256"])
    .execute();

  await db.schema
    .alterTable("submissions")
    .addColumn("publish", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable("submissions").addColumn("published_at", "text").execute();
  await numbered("publish_wishes")
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("publish", "integer", (c) => c.notNull())
    .addColumn("at", "text", (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex("publish_wishes_submission")
    .on("publish_wishes")
    .columns(["submission", "id"])
    .execute();
  await sql`create index submissions_to_publish on submissions (challenge)
    where publish = 1 and published_at is null`.execute(db);

  await table("closures")
    .addColumn("challenge", "text", (c) => c.primaryKey())
    .addColumn("closed_at", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("shown", "integer", (c) => c.notNull())
    .execute();
  await table("publications")
    .addColumn("submission", "text", (c) => c.primaryKey().references("submissions.id"))
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("seq", "integer", (c) => c.notNull())
    .addUniqueConstraint("publications_order", ["challenge", "participant_id", "seq"])
    .execute();
  await table("public_challenge_commits")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("number", "integer", (c) => c.notNull())
    .addColumn("commit_name", "text", (c) => c.notNull())
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("pins", "text", (c) => c.notNull())
    .addColumn("readme", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("public_challenge_commits_key", ["challenge", "number"])
    .execute();
  await table("shown_repositories")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull())
    .addColumn("host", "text", (c) => c.notNull())
    .addColumn("shown", "integer", (c) => c.notNull())
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("next_at", "text", (c) => c.notNull())
    .addColumn("problem", "text")
    .addPrimaryKeyConstraint("shown_repositories_key", ["challenge", "participant_id"])
    .execute();

  // Agreements and their times are evidence: rows are added, never changed.
  for (const name of ["licence_texts", "agreements", "publish_wishes"]) await appendOnly(name);

  async function appendOnly(name: string) {
    if (dialect === "postgres") {
      await sql`create or replace function refuse_change() returns trigger language plpgsql
        as $$ begin raise exception 'rows of % are never changed', tg_table_name; end $$`.execute(db);
      await sql`create trigger ${sql.raw(`${name}_kept`)} before update or delete on ${sql.table(name)}
        for each row execute function refuse_change()`.execute(db);
      return;
    }
    for (const change of ["update", "delete"])
      await sql`create trigger ${sql.raw(`${name}_no_${change}`)} before ${sql.raw(change)} on ${sql.table(name)}
        begin select raise(abort, ${sql.lit(`rows of ${name} are never changed`)}); end`.execute(db);
  }
}
