import { iso } from "../../../base/clock.ts";
import type { Db } from "../../../records/records.ts";
import type { WebappSubmissionRow } from "../../../records/tables.ts";

const A_PASS = 200;
const CLAIM_MS = 120_000;
/** How long the registration in the records may take after the webapp accepted a submission. */
const ORPHAN_MS = 60_000;

/**
 * Records a submission that the webapp must receive. Returns false when it was recorded before, here or at
 * another broker.
 */
export async function noteSubmission(
  db: Db,
  noted: Pick<WebappSubmissionRow, "submission" | "participant_id" | "challenge"> &
    Partial<Pick<WebappSubmissionRow, "number" | "sealed_key" | "next_try_at">>,
  now: number,
): Promise<boolean> {
  const made = await db
    .insertInto("webapp_submissions")
    .values({
      number: null,
      sealed_key: null,
      next_try_at: null,
      created_at: iso(now),
      news: 1,
      told: 0,
      tries: 0,
      claimed_until: null,
      outcome: null,
      note: null,
      ...noted,
    })
    .onConflict((conflict) => conflict.column("submission").doNothing())
    .returning("submission")
    .executeTakeFirst();
  return made !== undefined;
}

/**
 * Returns what is due: submissions not opened yet, finished ones, and those that were never registered here.
 */
export function dueRows(db: Db, now: number): Promise<WebappSubmissionRow[]> {
  return (
    db
      .selectFrom("webapp_submissions")
      .leftJoin("submissions", "submissions.id", "webapp_submissions.submission")
      .selectAll("webapp_submissions")
      .whereRef("webapp_submissions.told", "<", "webapp_submissions.news")
      .where("webapp_submissions.outcome", "is", null)
      .where((eb) => eb.or([eb("next_try_at", "is", null), eb("next_try_at", "<=", iso(now))]))
      .where((eb) => eb.or([eb("claimed_until", "is", null), eb("claimed_until", "<", iso(now))]))
      .where((eb) =>
        eb.or([
          eb("submissions.state", "in", ["graded", "failed", "cancelled"]),
          eb.and([eb("submissions.id", "is not", null), eb("webapp_submissions.number", "is", null)]),
          eb.and([
            eb("submissions.id", "is", null),
            eb("webapp_submissions.created_at", "<", iso(now - ORPHAN_MS)),
          ]),
        ]),
      )
      // A participant's submissions are opened in the order of their arrival.
      .where((eb) =>
        eb.or([
          eb("webapp_submissions.number", "is not", null),
          eb.not(
            eb.exists(
              eb
                .selectFrom("webapp_submissions as earlier")
                .select("earlier.submission")
                .whereRef("earlier.told", "<", "earlier.news")
                .where("earlier.number", "is", null)
                .where("earlier.outcome", "is", null)
                .whereRef("earlier.participant_id", "=", "webapp_submissions.participant_id")
                .whereRef("earlier.challenge", "=", "webapp_submissions.challenge")
                .whereRef("earlier.created_at", "<", "webapp_submissions.created_at"),
            ),
          ),
        ]),
      )
      .orderBy("webapp_submissions.created_at")
      .limit(A_PASS)
      .execute()
  );
}

/**
 * Claims the row for this broker for a while and returns it as it is now; null when another broker has
 * claimed it.
 */
export async function claim(db: Db, submission: string, now: number): Promise<WebappSubmissionRow | null> {
  const row = await db
    .updateTable("webapp_submissions")
    .set({ claimed_until: iso(now + CLAIM_MS) })
    .where("submission", "=", submission)
    .whereRef("told", "<", "news")
    .where((eb) => eb.or([eb("claimed_until", "is", null), eb("claimed_until", "<", iso(now))]))
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}
