import { type EventType, isLastEvent, type SubmissionEvent } from "@crowdai/shared";
import type { Db } from "../../records/records.ts";
import { insertion } from "../../records/statement.ts";
import { markWebappChanged } from "../webapp/webapp-updates.ts";
import { queueSubmissionMessages } from "../webhooks/queue-messages.ts";

export interface NewEvent {
  type: EventType;
  data?: Record<string, unknown>;
}

/**
 * Appends to a submission's history, numbering from `seq` on. Must run in the transaction that also writes
 * the new `seq` to the submission: that makes the numbers unique and free of gaps.
 */
export async function appendEvents(
  db: Db,
  submission: { id: string; seq: number },
  at: string,
  events: readonly NewEvent[],
): Promise<SubmissionEvent[]> {
  const numbered = events.map(({ type, data = {} }, index) => ({
    submission: submission.id,
    seq: submission.seq + index + 1,
    at,
    type,
    data,
  }));
  await insertEvents(
    db,
    numbered.map((event) => ({ ...event, data: JSON.stringify(event.data) })),
  );
  // In the same transaction, so that a remote webapp and webhooks learn of every outcome.
  for (const last of numbered.filter(({ type }) => isLastEvent(type))) {
    await markWebappChanged(db, [submission.id]);
    await queueSubmissionMessages(db, { id: submission.id, seq: last.seq }, last, at);
  }
  return numbered;
}

const insertEvents = insertion("events");

/** Returns a submission's events after `after`, in order. */
export async function readEvents(db: Db, submission: string, after: number): Promise<SubmissionEvent[]> {
  const rows = await db
    .selectFrom("events")
    .selectAll()
    .where("submission", "=", submission)
    .where("seq", ">", after)
    .orderBy("seq")
    .execute();
  return rows.map((row) => ({ ...row, data: JSON.parse(row.data) }));
}
