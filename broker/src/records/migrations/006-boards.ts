import { type Kysely, sql } from "kysely";

// A migration imports no application code: it must never change.
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("board_rounds")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("border", "text")
    .addPrimaryKeyConstraint("board_rounds_key", ["challenge", "round"])
    .execute();
  await db.schema
    .createTable("board_blocks")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("board", "text", (c) => c.notNull())
    .addColumn("sort_primary", "double precision", (c) => c.notNull())
    .addColumn("sort_secondary", "double precision", (c) => c.notNull())
    .addColumn("submitted_at", "text", (c) => c.notNull())
    .addColumn("submission_number", "integer", (c) => c.notNull())
    .addColumn("standings", "integer", (c) => c.notNull())
    .addPrimaryKeyConstraint("board_blocks_key", [
      "challenge",
      "round",
      "board",
      "sort_primary",
      "sort_secondary",
      "submitted_at",
      "submission_number",
    ])
    .execute();

  // A participant's best submission, and the number of submissions, each from an index alone.
  await sql`create index submissions_best on submissions
    (challenge, round, participant_id, sort_primary, sort_secondary, created_at, number)
    where function = 'submit' and dry_run = 0 and baseline = 0 and state = 'graded'`.execute(db);
  await sql`create index submissions_entries on submissions (challenge, round, participant_id, post_challenge, created_at)
    where function = 'submit' and dry_run = 0 and baseline = 0`.execute(db);
  await sql`create index submissions_arrival on submissions (challenge, round, created_at)
    where function = 'submit' and dry_run = 0`.execute(db);
  // Waiting submissions, counted for every queue position that is sent.
  await sql`create index submissions_line on submissions (challenge, number)
    where state = 'submitted' and outside_status is null`.execute(db);

  await sql`insert into board_rounds (challenge, round, version, border)
    select distinct challenge, round, 1, cast(null as text) from standings`.execute(db);
  await sql`insert into board_blocks
    (challenge, round, board, sort_primary, sort_secondary, submitted_at, submission_number, standings)
    select challenge, round, board,
      case when place = 0 then -1.7976931348623157e308 else sort_primary end,
      case when place = 0 then -1.7976931348623157e308 else sort_secondary end,
      case when place = 0 then '' else submitted_at end,
      case when place = 0 then 0 else submission_number end,
      case when total - place < 128 then total - place else 128 end
    from (
      select standings.*,
        row_number() over (
          partition by challenge, round, board
          order by sort_primary, sort_secondary, submitted_at, submission_number
        ) - 1 as place,
        count(*) over (partition by challenge, round, board) as total
      from standings
    ) as placed
    where place % 128 = 0`.execute(db);
}
