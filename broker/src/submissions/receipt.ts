import type { Receipt } from "@crowdai/shared";
import { codePush, readCode } from "../code/announce-code.ts";
import type { SubmissionRow } from "../records/tables.ts";
import { announcedObject } from "./announced-parts.ts";
import type { SubmissionContext } from "./context.ts";
import { viewSubmission } from "./view.ts";

/** The submission as it is now, and where to send the bytes that are still missing. */
export async function receipt(context: SubmissionContext, row: SubmissionRow): Promise<Receipt> {
  const upload =
    row.state === "initiated" && row.input_key
      ? await context.objects.planUpload(row.input_key, await announcedObject(context.records.db, row))
      : null;
  const { db } = context.records;
  const code = await readCode(db, row.id);
  const participant = await db
    .selectFrom("participants")
    .select(["id", "name"])
    .where("id", "=", row.participant_id)
    .executeTakeFirstOrThrow();
  return {
    submission: await viewSubmission(context, context.records.db, row),
    upload,
    code: code ? codePush(context.baseUrl(), participant, code) : null,
    models: [],
  };
}
