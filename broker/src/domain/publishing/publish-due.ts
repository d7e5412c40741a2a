import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { findClosure } from "../challenges/find-closure.ts";
import { takeBoards } from "../leaderboard/boards.ts";

const AT_ONCE = 500;

/** Returns the name of the lock that changes of a choice share and that publishing holds exclusively. */
export const closingLock = (challenge: string): string => `closing:${challenge}`;

/** Submissions of a challenge that are to be published and are not public yet, except cancelled ones. */
const awaited = (db: Db, challenge: string) =>
  db
    .selectFrom("submissions")
    .where("submissions.challenge", "=", challenge)
    .where("submissions.publish", "=", 1)
    .where("submissions.published_at", "is", null)
    .where("submissions.state", "!=", "cancelled");

/**
 * Counts the submissions that will follow automatically, once they are finished and their code has arrived.
 */
export async function countAwaited(db: Db, challenge: string): Promise<number> {
  const { n } = await awaited(db, challenge)
    .select(({ fn }) => fn.countAll<number>().as("n"))
    .executeTakeFirstOrThrow();
  return Number(n);
}

/**
 * Publishes, in one transaction, the due submissions of a closed challenge: those that are finished and whose
 * code is in its repository or is missing for good. Each gets the next place in its participant's public
 * repository. Does nothing for a challenge that is not closed. Returns the number of published submissions.
 */
export async function publishDue(records: Records, challenge: string, now: Date): Promise<number> {
  return commit(records, "publish-due", async (trx) => {
    await records.lock(trx, closingLock(challenge));
    if (!(await findClosure(trx, challenge))) return 0;
    const due = await awaited(trx, challenge)
      .leftJoin("submission_code", "submission_code.submission", "submissions.id")
      .select([
        "submissions.id",
        "submissions.round",
        "submissions.participant_id",
        "submission_code.final_commit",
      ])
      .where("submissions.state", "in", ["graded", "failed"])
      .where((eb) =>
        eb.or([
          eb("submission_code.submission", "is", null),
          eb("submission_code.state", "=", "missing"),
          eb("submission_code.final_commit", "is not", null),
        ]),
      )
      .orderBy("submissions.participant_id")
      .orderBy("submission_code.final_seq")
      .execute();
    if (due.length === 0) return 0;
    const last = await lastPlaces(trx, challenge);
    const places = due
      .filter(({ final_commit }) => final_commit !== null)
      .map(({ id, participant_id }) => {
        const seq = (last.get(participant_id) ?? 0) + 1;
        last.set(participant_id, seq);
        return { submission: id, challenge, participant_id, seq };
      });
    for (const part of inParts(places)) await trx.insertInto("publications").values(part).execute();
    for (const part of inParts(due))
      await trx
        .updateTable("submissions")
        .set({ published_at: iso(now) })
        .where(
          "id",
          "in",
          part.map(({ id }) => id),
        )
        .execute();
    for (const round of new Set(due.map((row) => row.round))) await takeBoards(trx, { challenge, round });
    await trx
      .updateTable("closures")
      .set(({ eb }) => ({ version: eb("version", "+", 1) }))
      .where("challenge", "=", challenge)
      .execute();
    return due.length;
  });
}

async function lastPlaces(trx: Db, challenge: string): Promise<Map<number, number>> {
  const rows = await trx
    .selectFrom("publications")
    .select(({ fn }) => ["participant_id", fn.max("seq").as("seq")])
    .where("challenge", "=", challenge)
    .groupBy("participant_id")
    .execute();
  return new Map(rows.map(({ participant_id, seq }) => [participant_id, seq]));
}

function* inParts<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += AT_ONCE) yield all.slice(at, at + AT_ONCE);
}
