import { sql, type Transaction } from "kysely";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { Tables } from "../../records/tables.ts";

const SETTING = "queue_rebuilds";
const LOCK = "queue-rebuild";

const setting = lookup((db, { name }: { name: string }) =>
  db.selectFrom("settings").select("value").where("name", "=", name),
);

/** Returns how often the queue has been filled from the records again. */
export async function readRebuilds(db: Db): Promise<number> {
  return Number((await setting(db, { name: SETTING }))?.value ?? 0);
}

/** Counts another time, in the transaction that forgets which jobs the queue had. */
export function countRebuild<T>(
  records: Records,
  forgetQueued: (trx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return commit(records, "rebuild-queue", async (trx) => {
    await records.lock(trx, LOCK);
    await trx
      .insertInto("settings")
      .values({ name: SETTING, value: "1" })
      .onConflict((conflict) =>
        conflict
          .column("name")
          .doUpdateSet({ value: sql<string>`cast(cast(settings.value as integer) + 1 as text)` }),
      )
      .execute();
    return forgetQueued(trx);
  });
}

/**
 * Marks jobs that the queue took, unless it was filled again since `rebuilds` was read, before they were
 * published: the queue that took them may be gone, and the broker that filled the new one did not know them.
 * Resolves to whether they are marked.
 */
export function markQueued(
  records: Records,
  rebuilds: number,
  mark: (trx: Transaction<Tables>) => Promise<unknown>,
): Promise<boolean> {
  return commit(records, "mark-queued", async (trx) => {
    await records.lockShared(trx, LOCK);
    if ((await readRebuilds(trx)) !== rebuilds) return false;
    await mark(trx);
    return true;
  });
}
