import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { RegradeRow } from "../../records/tables.ts";

/** Time until every broker serves a newly added version. */
const SPREAD_MS = 10_000;

/** Returns the time from which every broker publishes jobs with the version of a regrade. */
export const newVersionEverywhere = ({ started_at }: Pick<RegradeRow, "started_at">): string =>
  iso(Date.parse(started_at) + SPREAD_MS);

/**
 * Counts the submissions in the queue or in grading whose jobs may be older than the version of a regrade,
 * and so may bring grades of an older version.
 */
export async function countOlderGradings(db: Db, regrade: RegradeRow): Promise<number> {
  const until = newVersionEverywhere(regrade);
  const { n } = await db
    .selectFrom("submissions")
    .innerJoin("attempts", (join) =>
      join
        .onRef("attempts.submission", "=", "submissions.id")
        .onRef("attempts.number", "=", "submissions.attempt"),
    )
    .select(sql<number>`count(*)`.as("n"))
    .where("challenge", "=", regrade.challenge)
    .where("submissions.state", "in", ["submitted", "grading"])
    .where("function", "=", "submit")
    .where("dry_run", "=", 0)
    .where("outside_status", "is", null)
    .where("created_at", "<=", until)
    .where("attempts.published_at", "<=", until)
    .executeTakeFirstOrThrow();
  return Number(n);
}
