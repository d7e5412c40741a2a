import { type Kysely, sql } from "kysely";

/**
 * Final scores stay apart from submissions: they are hidden until a round has ended, and no query of
 * submissions may return them by accident.
 */
export async function up(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  // SQLite stores such tables as one tree, in the order of the primary key.
  const byKey = dialect === "sqlite" ? sql`without rowid` : sql``;
  await db.schema
    .createTable("final_scores")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("final_score", "double precision", (c) => c.notNull())
    .addColumn("sort_final", "double precision", (c) => c.notNull())
    .addPrimaryKeyConstraint("final_scores_key", ["challenge", "submission"])
    .modifyEnd(byKey)
    .execute();
  await db.schema
    .createTable("final_selections")
    .addColumn("challenge", "text", (c) => c.notNull())
    .addColumn("round", "text", (c) => c.notNull())
    .addColumn("participant_id", "integer", (c) => c.notNull().references("participants.id"))
    .addColumn("submission", "text", (c) => c.notNull().references("submissions.id"))
    .addColumn("selected_at", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("final_selections_key", ["challenge", "round", "participant_id", "submission"])
    .modifyEnd(byKey)
    .execute();
  for (const column of ["finals", "final_shown"])
    await db.schema
      .alterTable("board_rounds")
      .addColumn(column, "integer", (c) => c.notNull().defaultTo(0))
      .execute();
}
