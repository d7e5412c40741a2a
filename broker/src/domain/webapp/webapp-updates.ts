import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";

/**
 * Marks submissions whose new outcome a remote webapp must receive, in the transaction that wrote the
 * outcome.
 */
export async function markWebappChanged(trx: Db, submissions: string[]): Promise<void> {
  for (const submission of submissions) await markChanged(trx, { submission });
}

const markChanged = statement((trx, { submission }: { submission: string }) =>
  trx
    .updateTable("webapp_submissions")
    .set({ news: sql<number>`news + 1`, next_try_at: null })
    .where("submission", "=", submission),
);
