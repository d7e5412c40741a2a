import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { NamedRow } from "./submission-object.ts";

export async function withName(db: Db, row: SubmissionRow): Promise<NamedRow> {
  const { name } = await db
    .selectFrom("participants")
    .select("name")
    .where("id", "=", row.participant_id)
    .executeTakeFirstOrThrow();
  return { ...row, participant: name };
}
