import type { Records } from "../../records/records.ts";
import { HOLDS } from "./submission-code.ts";

/** Returns when a submission entered the queue: not before its code arrived, for which it may have waited. */
export function queuedAt(head: {
  created_at: string;
  accepted_at: string | null;
  stored_at: string | null;
}): number {
  const accepted = head.accepted_at ?? head.created_at;
  return Math.max(Date.parse(accepted), Date.parse(head.stored_at ?? accepted));
}

/**
 * Returns the submission of a challenge that this broker's graders should grade next. One that waits for its
 * participant's code is not in the queue.
 */
export function headOfQueue(db: Records["db"], challenge: string) {
  return db
    .selectFrom("submissions")
    .leftJoin("submission_code", "submission_code.submission", "submissions.id")
    .select(["submissions.id", "submissions.attempt", "created_at", "accepted_at", "stored_at"])
    .where("submissions.challenge", "=", challenge)
    .where("submissions.state", "=", "submitted")
    .where("outside_status", "is", null)
    .where((eb) => eb.or([eb("holds", "is", null), eb("holds", "=", HOLDS.no)]))
    .orderBy("submissions.number")
    .limit(1)
    .executeTakeFirst();
}
