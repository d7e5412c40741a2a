import { sql } from "kysely";
import type { Db } from "../records/records.ts";

/** Notes that submissions have an outcome that a webapp elsewhere was not told of; in the transaction that wrote the outcome. */
export async function noteNews(trx: Db, submissions: string[]): Promise<void> {
  if (submissions.length === 0) return;
  await trx
    .updateTable("webapp_submissions")
    .set({ news: sql<number>`news + 1`, next_try_at: null })
    .where("submission", "in", submissions)
    .execute();
}
