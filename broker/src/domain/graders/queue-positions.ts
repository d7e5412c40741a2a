import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";

/** Maximum age of the count of a long queue. */
const FRESH_MS = 100;
/** A queue up to this length is counted every time. */
const SHORT = 100;

/** Counts the waiting submissions of a challenge. */
export interface QueuePositions {
  /**
   * Returns how many submissions wait before this one. For a long queue, the count may include some that left
   * within FRESH_MS.
   */
  ahead(db: Db, challenge: string, number: number): Promise<number>;
}

/**
 * For a long queue that was counted a moment ago, only the rest is counted, so that a position does not cost
 * the length of the queue.
 */
export function createQueuePositions(monotonic: () => number = () => performance.now()): QueuePositions {
  const counted = new Map<string, { number: number; ahead: number; at: number }>();
  return {
    async ahead(db, challenge, number) {
      const now = monotonic();
      const last = counted.get(challenge);
      const usable = last && now - last.at < FRESH_MS && last.number <= number ? last : null;
      const from = usable?.number ?? 0;
      const { waiting } = (await countWaiting(db, { challenge, from, number }))!;
      const ahead = (usable?.ahead ?? 0) + Number(waiting);
      if (ahead > SHORT) counted.set(challenge, { number, ahead, at: usable?.at ?? now });
      return ahead;
    },
  };
}

const countWaiting = lookup(
  (db, { challenge, from, number }: { challenge: string; from: number; number: number }) =>
    db
      .selectFrom("submissions")
      .select(sql<number>`count(*)`.as("waiting"))
      .where("challenge", "=", challenge)
      .where("state", "=", "submitted")
      .where("outside_status", "is", null)
      .where("number", ">=", from)
      .where("number", "<", number),
);
