import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";

/** Cancels a challenge's running regrade without changing any outcome; false when none runs. */
export function cancelRegrade(records: Records, challenge: string, now: Date): Promise<boolean> {
  return commit(records, "cancel-regrade", async (trx) => {
    await records.lock(trx, `challenge:${challenge}`);
    const regrade = await trx
      .updateTable("regrades")
      .set({ state: "cancelled", finished_at: iso(now) })
      .where("challenge", "=", challenge)
      .where("state", "=", "running")
      .returning("id")
      .executeTakeFirst();
    if (!regrade) return false;
    // Reports of jobs that are already running have no effect.
    await trx
      .updateTable("attempts")
      .set({ state: "lost", finished_at: iso(now) })
      .where("state", "in", ["waiting", "started"])
      .where("regrade", "=", regrade.id)
      .execute();
    await trx
      .updateTable("regrade_items")
      .set({ state: "done", deadline_at: null, result: "kept", reason: "The regrade was cancelled." })
      .where("regrade", "=", regrade.id)
      .execute();
    return true;
  });
}
