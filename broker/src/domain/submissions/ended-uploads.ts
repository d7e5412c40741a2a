import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { removeUpload } from "./announced-parts.ts";
import type { Needs } from "./services.ts";

/** An upload may begin as long as its address is valid, 15 minutes, and take hours. */
const REMOVED_AFTER_MS = 24 * 3600 * 1000;
const AT_ONCE = 100;

/**
 * Notes that a submission ends before its upload is accepted. Its bytes are removed at once; this removes
 * those that arrive later, which would take up space without a slot.
 */
export async function noteEndedUpload(
  trx: Db,
  { id, accepted_at, input_key, model_count }: SubmissionRow,
  now: Date,
): Promise<void> {
  if (accepted_at !== null || (input_key === null && model_count === 0)) return;
  await trx
    .insertInto("ended_uploads")
    .values({ submission: id, due_at: iso(now.getTime() + REMOVED_AFTER_MS) })
    .execute();
}

/** Removes what arrived for submissions that had ended. What fails is tried again with the next call. */
export async function removeEndedUploads({
  records,
  objects,
  clock,
}: Needs<"records" | "objects" | "clock">): Promise<void> {
  for (let found = AT_ONCE; found === AT_ONCE; ) {
    const due = await records.db
      .selectFrom("ended_uploads")
      .innerJoin("submissions", "submissions.id", "ended_uploads.submission")
      .selectAll("submissions")
      .where("due_at", "<=", iso(clock()))
      .orderBy("due_at")
      .limit(AT_ONCE)
      .execute();
    for (const row of due) {
      await removeUpload({ records, objects }, row);
      await records.db.deleteFrom("ended_uploads").where("submission", "=", row.id).execute();
    }
    found = due.length;
  }
}
