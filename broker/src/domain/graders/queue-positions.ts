import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";

/** How old a count of a long line may be. */
const FRESH_MS = 100;
/** A line up to this is counted afresh each time. */
const SHORT = 100;

/** Counts who stands in line. */
export interface QueuePositions {
  /** How many wait before this one. In a long line, those who left it within FRESH_MS may be among them. */
  ahead(db: Db, challenge: string, number: number): Promise<number>;
}

/** Of a long line that was counted a moment ago only what came after is counted, so that a place does not cost the length of the line. */
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
