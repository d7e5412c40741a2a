import type { ObjectStore } from "@crowdai/shared/objects";
import { iso } from "../../base/clock.ts";
import type { Records } from "../../records/records.ts";

const AT_ONCE = 100;

/**
 * Removes pictures from the store that no profile shows any more. What fails is tried again with the next
 * call.
 */
export async function removeOldPictures({
  records: { db },
  objects,
  clock,
}: {
  records: Pick<Records, "db">;
  objects: Pick<ObjectStore, "remove">;
  clock: () => Date;
}): Promise<void> {
  const due = await db
    .selectFrom("old_pictures")
    .select("key")
    .where("due_at", "<=", iso(clock()))
    .orderBy("due_at")
    .limit(AT_ONCE)
    .execute();
  for (const { key } of due) {
    await objects.remove(key);
    await db.deleteFrom("old_pictures").where("key", "=", key).execute();
  }
}
