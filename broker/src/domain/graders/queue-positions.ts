import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/** Maximum age of a reading of a long queue. */
const FRESH_MS = 100;
/** A queue up to this length is read every time. */
const SHORT = 100;

/** A waiting submission. */
export type QueueEntry = Pick<SubmissionRow, "id" | "number" | "participant_id">;

/** Knows the queue positions of waiting submissions. Participants take turns, as in the job queue. */
export interface QueuePositions {
  /**
   * Returns the position of a submission; 1 is next. For a long queue, it may count submissions that left
   * within FRESH_MS.
   */
  placeOf(
    db: Db,
    submission: Pick<SubmissionRow, "challenge" | "number" | "participant_id">,
  ): Promise<number>;
}

interface Reading {
  at: number;
  /** Highest number that was read. */
  last: number;
  length: number;
  /** The numbers of each participant's waiting submissions, in order. */
  numbers: Map<number, number[]>;
}

/** Of a long queue that was read a moment ago, only the rest is read. */
export function createQueuePositions(monotonic: () => number = () => performance.now()): QueuePositions {
  const readings = new Map<string, Reading>();

  async function read(db: Db, challenge: string): Promise<Reading> {
    const now = monotonic();
    let reading = readings.get(challenge);
    if (!reading || now - reading.at >= FRESH_MS || reading.length <= SHORT)
      reading = { at: now, last: 0, length: 0, numbers: new Map() };
    for (const { number, participant_id } of await readQueue(db, challenge, reading.last)) {
      // Another call may have added it in the meantime.
      if (number <= reading.last) continue;
      const own = reading.numbers.get(participant_id);
      if (own) own.push(number);
      else reading.numbers.set(participant_id, [number]);
      reading.last = number;
      reading.length++;
    }
    readings.set(challenge, reading);
    return reading;
  }

  return {
    async placeOf(db, { challenge, number, participant_id }) {
      const { numbers } = await read(db, challenge);
      const own = countBelow(numbers.get(participant_id) ?? [], number);
      let ahead = own;
      for (const [participant, list] of numbers)
        if (participant !== participant_id)
          // Another participant's next one is ahead as well if it arrived earlier.
          ahead += countBelow(list, number) > own ? own + 1 : Math.min(list.length, own);
      return ahead + 1;
    },
  };
}

/** Orders waiting submissions as they will be taken: everyone's first by arrival, then everyone's second, … */
export function inFairOrder<T extends Pick<QueueEntry, "participant_id">>(queue: readonly T[]): T[] {
  const counts = new Map<number, number>();
  const rounds: T[][] = [];
  for (const entry of queue) {
    const round = counts.get(entry.participant_id) ?? 0;
    counts.set(entry.participant_id, round + 1);
    rounds[round] ??= [];
    rounds[round].push(entry);
  }
  return rounds.flat();
}

/** Returns the waiting submissions of a challenge with a higher number than `after`, by number. */
export const readQueue = (db: Db, challenge: string, after = 0): Promise<QueueEntry[]> =>
  waiting(db, { challenge, after });

const waiting = statement((db, { challenge, after }: { challenge: string; after: number }) =>
  db
    .selectFrom("submissions")
    .leftJoin("submission_code", "submission_code.submission", "submissions.id")
    .select(["submissions.id", "submissions.number", "submissions.participant_id"])
    .where("submissions.challenge", "=", challenge)
    .where("submissions.state", "=", "submitted")
    .where("outside_status", "is", null)
    .where("submissions.number", ">", after)
    // One that waits for its code delays no other.
    .where((eb) => eb.or([eb("submission_code.holds", "is", null), eb("submission_code.holds", "=", 0)]))
    .orderBy("submissions.number"),
);

/** Returns how many of these ascending numbers are lower. */
function countBelow(numbers: readonly number[], number: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
