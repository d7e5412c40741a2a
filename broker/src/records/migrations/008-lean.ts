import { type Kysely, sql } from "kysely";

/** Tables that are queried by their key only. */
const BY_KEY = ["events", "slots", "standings", "board_blocks"];

// Each index, and each second tree of a table, is one more page that a commit writes.
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  for (const index of [
    "submissions_challenge_state_number",
    "submissions_challenge_round_participant_id_number",
    "submissions_deadline_at",
    "submissions_line",
  ])
    await db.schema.dropIndex(index).execute();
  // The number of waiting submissions is read from this index alone.
  await sql`create index submissions_state on submissions (challenge, state, outside_status, number)`.execute(
    db,
  );
  await sql`create index submissions_deadline on submissions (deadline_at) where deadline_at is not null`.execute(
    db,
  );
  if (dialect === "sqlite") for (const table of BY_KEY) await keepByKey(db, table);
}

/** Rebuilds a SQLite table as one tree, in the order of its primary key. */
async function keepByKey(db: Kysely<unknown>, table: string): Promise<void> {
  const { rows } = await sql<{ type: string; sql: string }>`
    select type, sql from sqlite_master where tbl_name = ${table} and sql is not null`.execute(db);
  const made = rows.find(({ type }) => type === "table")!.sql;
  const old = sql.table(`${table}_before`);
  await sql`alter table ${sql.table(table)} rename to ${old}`.execute(db);
  await sql`${sql.raw(made)} without rowid`.execute(db);
  await sql`insert into ${sql.table(table)} select * from ${old}`.execute(db);
  await sql`drop table ${old}`.execute(db);
  for (const { sql: index } of rows.filter(({ type }) => type === "index")) await sql.raw(index).execute(db);
}
