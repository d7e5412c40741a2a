import { CrowdaiError, type Intent } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/** Throws nothing_to_publish for an intent without code or a model. */
export function requirePublishable({ code, models, function: called, dry_run }: Intent): void {
  if (called !== "submit" || dry_run)
    throw new CrowdaiError("nothing_to_publish", "Only a submission to the leaderboard can be published.");
  if (code === null && models.length === 0) throw new CrowdaiError("nothing_to_publish");
}

/** Records the participant's latest choice and returns the updated submission. */
export async function addPublishRequest(
  trx: Db,
  submission: string,
  publish: boolean,
  now: Date,
): Promise<SubmissionRow> {
  const value = publish ? 1 : 0;
  await trx
    .insertInto("publish_wishes")
    .values({ submission, publish: value, at: iso(now) })
    .execute();
  return trx
    .updateTable("submissions")
    .set({ publish: value })
    .where("id", "=", submission)
    .returningAll()
    .executeTakeFirstOrThrow();
}
