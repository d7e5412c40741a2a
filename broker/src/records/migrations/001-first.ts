import { type Kysely, sql } from "kysely";

// A migration imports no application code: it must never change.
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  const numberId = dialect === "sqlite" ? sql`integer` : sql`serial`;
  const table = (name: string) => db.schema.createTable(name);

  await table("settings")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("value", "text", (c) => c.notNull())
    .execute();

  for (const name of ["participants", "organizers"])
    await table(name)
      .addColumn("id", numberId, (c) =>
        dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
      )
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("name_key", "text", (c) => c.notNull().unique())
      .addColumn("created_at", "text", (c) => c.notNull())
      .execute();
  await table("organizer_challenges")
    .addColumn("organizer_id", "integer", (c) => c.notNull().references("organizers.id"))
    .addColumn("challenge", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("organizer_challenges_key", ["organizer_id", "challenge"])
    .execute();
  await table("api_keys")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("owner", "text", (c) => c.notNull())
    .addColumn("owner_id", "integer", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("revoked_at", "text")
    .execute();
  await index("api_keys", ["owner", "owner_id"]);
  await index("api_keys", ["revoked_at"]);

  await table("submissions")
    .addColumn("number", numberId, (c) =>
      dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
    )
    .addColumn("id", "text", (c) => c.notNull().unique())
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("function", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("message", "text")
    .addColumn("dry_run", "integer", (c) => c.notNull())
    .addColumn("post_challenge", "integer", (c) => c.notNull())
    .addColumn("input_kind", "text", (c) => c.notNull())
    .addColumn("input_name", "text")
    .addColumn("input_size", "bigint", (c) => c.notNull())
    .addColumn("input_sha256", "text", (c) => c.notNull())
    .addColumn("input_data", "text")
    .addColumn("input_key", "text")
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("accepted_at", "text")
    .addColumn("finished_at", "text")
    .addColumn("deadline_at", "text")
    .addColumn("attempt", "integer", (c) => c.notNull())
    .addColumn("starts", "integer", (c) => c.notNull())
    .addColumn("seq", "integer", (c) => c.notNull())
    .addColumn("score", "double precision")
    .addColumn("score_secondary", "double precision")
    .addColumn("sort_primary", "double precision")
    .addColumn("sort_secondary", "double precision")
    .addColumn("grading_message", "text")
    .addColumn("data", "text")
    .addColumn("meta", "text")
    .addColumn("artifacts", "text")
    .addColumn("rank", "integer")
    .addColumn("rank_before", "integer")
    .addColumn("best", "integer")
    .addColumn("error_code", "text")
    .addColumn("error_message", "text")
    .addColumn("evaluator_version", "text")
    .addColumn("regraded_at", "text")
    .addColumn("score_before", "double precision")
    .addColumn("outside_status", "text")
    .addColumn("media_large", "text")
    .addColumn("media_thumbnail", "text")
    .addColumn("media_content_type", "text")
    .execute();
  await index("submissions", ["challenge", "state", "number"]);
  await index("submissions", ["challenge", "round", "participant_id", "number"]);
  await index("submissions", ["participant_id", "number"]);
  await index("submissions", ["participant_id", "challenge", "state"]);
  await index("submissions", ["deadline_at"]);

  await table("announced_parts")
    .addColumn("submission", "text", (c) => c.primaryKey().references("submissions.id"))
    .addColumn("part_size", "bigint", (c) => c.notNull())
    .addColumn("md5", "text", (c) => c.notNull())
    .execute();

  await table("slots")
    .addColumn("submission", "text", (c) => c.primaryKey().references("submissions.id"))
    .addColumn("participant_id", "integer", (c) => c.notNull())
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("post_challenge", "integer", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("reserved_at", "text", (c) => c.notNull())
    .addColumn("settled_at", "text")
    .addColumn("reason", "text")
    .execute();
  await index("slots", ["participant_id", "challenge", "reserved_at"]);

  await table("attempts")
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("number", "integer", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("published_at", "text")
    .addColumn("started_at", "text")
    .addColumn("finished_at", "text")
    .addColumn("delivery", "integer", (c) => c.notNull())
    .addColumn("grader", "text")
    .addColumn("regrade", "integer")
    .addColumn("accepted", "integer", (c) => c.notNull())
    .addColumn("evaluator_version", "text")
    .addColumn("outcome", "text")
    .addColumn("organiser_log", "text")
    .addPrimaryKeyConstraint("attempts_key", ["submission", "number"])
    .execute();
  // Makes it impossible to grade a submission twice.
  await sql`create unique index attempts_accepted on attempts (submission) where accepted = 1`.execute(db);
  await sql`create index attempts_unpublished on attempts (state) where published_at is null`.execute(db);

  await table("events")
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("seq", "integer", (c) => c.notNull())
    .addColumn("at", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("data", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("events_key", ["submission", "seq"])
    .execute();

  await table("standings")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("board", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull())
    .addColumn("submission", "text", (c) => c.notNull())
    .addColumn("submission_number", "integer", (c) => c.notNull())
    .addColumn("submitted_at", "text", (c) => c.notNull())
    .addColumn("sort_primary", "double precision", (c) => c.notNull())
    .addColumn("sort_secondary", "double precision", (c) => c.notNull())
    .addPrimaryKeyConstraint("standings_key", ["challenge", "round", "board", "participant_id"])
    .execute();
  await index("standings", [
    "challenge",
    "round",
    "board",
    "sort_primary",
    "sort_secondary",
    "submitted_at",
    "submission_number",
    "participant_id",
  ]);

  await table("challenges")
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("version", "text", (c) => c.notNull())
    .addColumn("config", "text", (c) => c.notNull())
    .addColumn("data", "text", (c) => c.notNull())
    .addColumn("bundle_key", "text", (c) => c.notNull())
    .addColumn("bundle_size", "bigint", (c) => c.notNull())
    .addColumn("bundle_sha256", "text", (c) => c.notNull())
    .addColumn("added_at", "text", (c) => c.notNull())
    .addColumn("current", "integer", (c) => c.notNull())
    .addPrimaryKeyConstraint("challenges_key", ["id", "version"])
    .execute();
  await sql`create unique index challenges_current on challenges (id) where current = 1`.execute(db);

  await table("regrades")
    .addColumn("id", numberId, (c) =>
      dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
    )
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("version", "text")
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("started_at", "text", (c) => c.notNull())
    .addColumn("finished_at", "text")
    .execute();
  // Allows one running regrade per challenge.
  await sql`create unique index regrades_running on regrades (challenge) where state = 'running'`.execute(db);
  await table("regrade_items")
    .addColumn("regrade", "integer", (c) => c.notNull().references("regrades.id"))
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("number", "integer", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("attempt", "integer", (c) => c.notNull())
    .addColumn("starts", "integer", (c) => c.notNull())
    .addColumn("deadline_at", "text")
    .addColumn("result", "text")
    .addColumn("reason", "text")
    .addPrimaryKeyConstraint("regrade_items_key", ["regrade", "submission"])
    .execute();
  await index("regrade_items", ["submission"]);
  await index("regrade_items", ["regrade", "state", "number"]);
  await index("regrade_items", ["deadline_at"]);

  await table("challenge_numbers")
    .addColumn("number", numberId, (c) =>
      dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
    )
    .addColumn("challenge", "text", (c) => c.notNull().unique())
    .addColumn("created_at", "text", (c) => c.notNull())
    .execute();
  await table("round_numbers")
    .addColumn("number", numberId, (c) =>
      dialect === "sqlite" ? c.primaryKey().autoIncrement() : c.primaryKey(),
    )
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addUniqueConstraint("round_numbers_round", ["challenge", "round"])
    .execute();
  await table("invitations")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("created_at", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("invitations_key", ["challenge", "participant_id"])
    .execute();

  async function index(on: string, columns: string[]) {
    await db.schema
      .createIndex(`${on}_${columns.join("_")}`.slice(0, 60))
      .on(on)
      .columns(columns)
      .execute();
  }
}
