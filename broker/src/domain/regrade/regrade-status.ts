import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import type { RegradeRow } from "../../records/tables.ts";
import { countOlderGradings } from "./older-gradings.ts";

export interface RegradeStatus extends RegradeRow {
  submissions: number;
  /** Attempts that have ended. */
  done: number;
  graded: number;
  failed: number;
  kept: number;
  /** Submissions whose grades of an older version a running regrade awaits, to grade them again. */
  awaited: number;
  /** Why outcomes were kept, and how often. */
  reasons: { reason: string; submissions: number }[];
}

/** Returns the status of a regrade, or of a challenge's latest one; undefined when there was none. */
export async function readRegrade(
  db: Db,
  which: { id: number } | { challenge: string },
): Promise<RegradeStatus | undefined> {
  const regrade = await db
    .selectFrom("regrades")
    .selectAll()
    .where((eb) => eb.and(which))
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  if (!regrade) return undefined;
  const rows = await db
    .selectFrom("regrade_items")
    .select(["state", "result", "reason", sql<number>`count(*)`.as("n")])
    .where("regrade", "=", regrade.id)
    .groupBy(["state", "result", "reason"])
    .execute();
  const count = (fits: (row: (typeof rows)[number]) => boolean) =>
    rows.filter(fits).reduce((sum, { n }) => sum + Number(n), 0);
  return {
    ...regrade,
    submissions: count(() => true),
    done: count(({ state }) => state === "done"),
    graded: count(({ result }) => result === "graded"),
    failed: count(({ result }) => result === "failed"),
    kept: count(({ result }) => result === "kept"),
    awaited: regrade.state === "running" ? await countOlderGradings(db, regrade) : 0,
    reasons: rows
      .filter(({ result }) => result === "kept")
      .map(({ reason, n }) => ({ reason: reason as string, submissions: Number(n) })),
  };
}
