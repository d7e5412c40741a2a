import { type Kysely, sql } from "kysely";

/**
 * Names of keys, members of teams and their agreements, links by which participants join, and participants who do
 * not count.
 */
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  const numberId = dialect === "sqlite" ? sql`integer` : sql`serial`;
  const numbered = (name: string) =>
    db.schema
      .createTable(name)
      .addColumn("id", numberId, (c) =>
        dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
      );
  const add = (table: string, column: string) =>
    db.schema.alterTable(table).addColumn(column, "text").execute();

  for (const column of ["label", "member", "last_used_at"]) await add("api_keys", column);
  await sql`create index api_keys_members on api_keys (owner_id) where member is not null`.execute(db);
  for (const table of ["submissions", "device_logins"]) await add(table, "member");
  await agreementsOfMembers();

  await numbered("join_links")
    .addColumn("code_hash", "text", (c) => c.notNull().unique())
    .addColumn("challenges", "text", (c) => c.notNull())
    .addColumn("uses", "integer")
    .addColumn("used", "integer", (c) => c.notNull().defaultTo(0))
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .addColumn("revoked_at", "text")
    .execute();

  await numbered("disqualifications")
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("challenge", "text")
    .addColumn("decision", "text", (c) => c.notNull())
    .addColumn("reason", "text")
    .addColumn("at", "text", (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex("disqualifications_participant")
    .on("disqualifications")
    .column("participant_id")
    .execute();
  await appendOnly("disqualifications");

  /** Allows an agreement of each member of a participant. SQLite cannot drop a constraint of a table. */
  async function agreementsOfMembers() {
    if (dialect === "postgres") {
      await sql`alter table agreements drop constraint agreements_once`.execute(db);
      await add("agreements", "member");
    } else {
      await sql`alter table agreements rename to agreements_before`.execute(db);
      await numbered("agreements")
        .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
        .addColumn("licence", "text", (c) => c.notNull())
        .addColumn("text_sha256", "text", (c) => c.notNull().references("licence_texts.sha256"))
        .addColumn("agreed_at", "text", (c) => c.notNull())
        .addColumn("ip", "text", (c) => c.notNull())
        .addColumn("user_agent", "text", (c) => c.notNull())
        .addColumn("given_at", "text", (c) => c.notNull())
        .addColumn("member", "text")
        .execute();
      await sql`insert into agreements
        (id, participant_id, licence, text_sha256, agreed_at, ip, user_agent, given_at)
        select id, participant_id, licence, text_sha256, agreed_at, ip, user_agent, given_at
        from agreements_before`.execute(db);
      await sql`drop table agreements_before`.execute(db);
      await appendOnly("agreements");
    }
    await sql`create unique index agreements_once on agreements
      (participant_id, text_sha256, coalesce(member, ''))`.execute(db);
  }

  async function appendOnly(name: string) {
    if (dialect === "postgres") {
      await sql`create trigger ${sql.raw(`${name}_kept`)} before update or delete on ${sql.table(name)}
        for each row execute function refuse_change()`.execute(db);
      return;
    }
    for (const change of ["update", "delete"])
      await sql`create trigger ${sql.raw(`${name}_no_${change}`)} before ${sql.raw(change)} on ${sql.table(name)}
        begin select raise(abort, ${sql.lit(`rows of ${name} are never changed`)}); end`.execute(db);
  }
}
