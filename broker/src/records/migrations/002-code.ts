import type { Kysely } from "kysely";

// A migration imports no application code: it must never change.
export async function up(db: Kysely<unknown>): Promise<void> {
  const table = (name: string) => db.schema.createTable(name);

  await table("submission_code")
    .addColumn("submission", "text", (c) => c.primaryKey().references("submissions.id"))
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("commit_name", "text", (c) => c.notNull())
    .addColumn("tree", "text", (c) => c.notNull())
    .addColumn("files", "integer", (c) => c.notNull())
    .addColumn("bytes", "bigint", (c) => c.notNull())
    .addColumn("holds", "integer", (c) => c.notNull())
    .addColumn("deadline_at", "text")
    .addColumn("stored_at", "text")
    .addColumn("stored_seq", "integer")
    .addColumn("snapshot", "text")
    .addColumn("pack_key", "text")
    .addColumn("pack_size", "bigint")
    .addColumn("pack_sha256", "text")
    .addColumn("tree_key", "text")
    .addColumn("tree_size", "bigint")
    .addColumn("tree_sha256", "text")
    .addColumn("final_seq", "integer")
    .addColumn("final_commit", "text")
    .addColumn("final_text", "text")
    .addUniqueConstraint("submission_code_stored", ["challenge", "participant_id", "stored_seq"])
    .addUniqueConstraint("submission_code_final", ["challenge", "participant_id", "final_seq"])
    .execute();
  await index("submission_code_deadline", "submission_code", ["deadline_at"]);
  await index("submission_code_state", "submission_code", ["state", "final_seq"]);

  await table("code_repositories")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("shown", "integer", (c) => c.notNull())
    .addColumn("host", "text")
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("next_at", "text", (c) => c.notNull())
    .addColumn("problem", "text")
    .addPrimaryKeyConstraint("code_repositories_key", ["challenge", "participant_id"])
    .execute();

  await table("code_challenge_commits")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("number", "integer", (c) => c.notNull())
    .addColumn("commit_name", "text", (c) => c.notNull())
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("pins", "text", (c) => c.notNull())
    .addColumn("readme", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("code_challenge_commits_key", ["challenge", "number"])
    .execute();

  async function index(name: string, on: string, columns: string[]) {
    await db.schema.createIndex(name).on(on).columns(columns).execute();
  }
}
