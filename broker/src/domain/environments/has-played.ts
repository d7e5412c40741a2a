import type { Db } from "../../records/records.ts";

/** Returns whether a reset of the submission's environment was answered: graders report the stage then. */
export async function hasPlayed(db: Db, submission: string): Promise<boolean> {
  const found = await db
    .selectFrom("events")
    .select("seq")
    .where("submission", "=", submission)
    .where("type", "=", "progress")
    .where("data", "like", '%"stage":"play"%')
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
