import type { Intent } from "@crowdai/shared";
import type { AnnouncedObject } from "@crowdai/shared/objects";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { DEADLINES } from "./deadlines.ts";
import { forgetModelParts, readModels } from "./models.ts";
import type { Needs } from "./services.ts";

/** Time after the deadline of the submission itself, whose expiry removes its upload. */
const GRACE_MS = 24 * 3600 * 1000;

/** Records the announced parts of an upload: later plans must cut it the same way. */
export async function recordParts(trx: Db, { id, input }: Pick<Intent, "id" | "input">): Promise<void> {
  if (!("parts" in input) || !input.parts) return;
  const { size, md5 } = input.parts;
  await trx
    .insertInto("announced_parts")
    .values({ submission: id, part_size: size, md5: JSON.stringify(md5) })
    .execute();
}

/** Returns what the object store must know about this submission's object. */
export async function announcedObject(db: Db, row: SubmissionRow): Promise<AnnouncedObject> {
  const found = await db
    .selectFrom("announced_parts")
    .selectAll()
    .where("submission", "=", row.id)
    .executeTakeFirst();
  const parts = found && { size: found.part_size, md5: JSON.parse(found.md5) as string[] };
  return { size: row.input_size, sha256: row.input_sha256, parts };
}

export async function forgetParts(db: Db, row: Pick<SubmissionRow, "id" | "model_count">): Promise<void> {
  await db.deleteFrom("announced_parts").where("submission", "=", row.id).execute();
  await forgetModelParts(db, row);
}

/** Removes the uploaded bytes of a submission, its models' too. */
export async function removeUpload(
  { records, objects }: Needs<"records" | "objects">,
  row: SubmissionRow,
): Promise<void> {
  for (const { key } of await readModels(records.db, row)) await objects.remove(key);
  if (row.input_key) await objects.remove(row.input_key);
  await forgetParts(records.db, row);
}

/**
 * Removes the uploaded bytes of a submission that ended before it was accepted. What an unreachable store
 * keeps is removed later, by `removeEndedUploads`.
 */
export async function removeUnaccepted(
  context: Needs<"records" | "objects" | "log">,
  row: SubmissionRow,
): Promise<void> {
  try {
    await removeUpload(context, row);
  } catch (error) {
    context.log.warn(
      { event: "upload_removal_failed", submission: row.id, err: error },
      "removing the bytes of an ended upload failed",
    );
  }
}

/** Removes the bytes of uploads that can no longer be completed. */
export async function abandonUploads({
  objects,
  clock,
  log,
}: Needs<"objects" | "clock" | "log">): Promise<void> {
  const abandoned = await objects.abandonUploads(clock().getTime() - DEADLINES.initiated - GRACE_MS);
  if (abandoned > 0)
    log.info({ event: "abandoned_uploads_removed", uploads: abandoned }, "abandoned uploads removed");
}
