import { setImmediate } from "node:timers/promises";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/** Maximum age of a reading of a long queue that is quick to read. */
const FRESH_MS = 100;
/** Up to this long, others wait for a new reading. When the last one took longer, they use it meanwhile. */
const QUICK_MS = 5;
/** A reading that took long is used for this many times as long, up to MAX_FRESH_MS. */
const REST = 20;
const MAX_FRESH_MS = 1000;
/** A reading of this age is never used. */
const STALE_MS = 2000;
/** Waiting submissions that one statement reads. Other work goes on in between. */
const CHUNK = 500;
/** How long the list of served participants is used again, in a long queue. */
const SERVED_FRESH_MS = 1000;
/** A queue up to this length is read every time. */
const SHORT = 100;

/** A waiting submission. */
export type QueueEntry = Pick<
  SubmissionRow,
  "id" | "number" | "participant_id" | "accepted_at" | "input_kind" | "function"
>;

/** Knows the queue positions of waiting submissions. Participants take turns, as in the job queue. */
export interface QueuePositions {
  /**
   * Returns the position of a submission; 1 is next. For a long queue, it may count submissions that left
   * within FRESH_MS, and for one that takes long to read, those that left within MAX_FRESH_MS.
   */
  placeOf(
    db: Db,
    submission: Pick<SubmissionRow, "challenge" | "number" | "participant_id">,
  ): Promise<number>;
}

interface Reading {
  at: number;
  tookMs: number;
  /** Highest number that was read. */
  last: number;
  length: number;
  /** When the first submission of the queue arrived. */
  since: string | null;
  /** The numbers of each participant's waiting submissions, in order. */
  numbers: Map<number, number[]>;
  served: Served;
  servedAt: number;
}

/**
 * When a submission of each participant was last taken from the queue, of those that were since it was last
 * empty.
 */
type Served = ReadonlyMap<number, string>;

/** Of a long queue that was read a moment ago, only the rest is read. */
export function createQueuePositions(monotonic: () => number = () => performance.now()): QueuePositions {
  const readings = new Map<string, Reading>();
  /** A queue is read once for all who ask meanwhile: everyone in a commit asks at the same moment. */
  const renewals = new Map<string, Promise<Reading>>();
  const shortReads = new Map<string, { db: Db; reading: Promise<Reading | null> }>();

  async function read(db: Db, challenge: string, number: number): Promise<Reading> {
    const last = readings.get(challenge);
    const known = last && last.length > SHORT ? last : null;
    if (!known) {
      const short = await readShort(db, challenge);
      if (short) return number > short.last ? addNew(db, challenge, short) : short;
    }
    const ageMs = known ? monotonic() - known.at : STALE_MS;
    if (known && ageMs < freshMs(known)) return addNew(db, challenge, known);
    const renewal = renew(db, challenge, known);
    if (!known || known.tookMs <= QUICK_MS || ageMs >= STALE_MS) return addNew(db, challenge, await renewal);
    // It fails again for those who wait for the next one.
    renewal.catch(() => {});
    return addNew(db, challenge, known);
  }

  /** Reads a queue of up to SHORT submissions; null when it is longer. */
  function readShort(db: Db, challenge: string): Promise<Reading | null> {
    const running = shortReads.get(challenge);
    // A transaction sees what others do not.
    if (running?.db === db) return running.reading;
    const began = monotonic();
    const reading = waiting(db, { challenge, after: 0 })
      .then((entries) =>
        entries.length <= SHORT ? complete(db, challenge, { began, entries, known: null }) : null,
      )
      .finally(() => {
        if (shortReads.get(challenge)?.reading === reading) shortReads.delete(challenge);
      });
    shortReads.set(challenge, { db, reading });
    return reading;
  }

  function renew(db: Db, challenge: string, known: Reading | null): Promise<Reading> {
    const running = renewals.get(challenge);
    if (running) return running;
    const began = monotonic();
    const renewal = readQueue(db, challenge)
      .then((entries) => complete(db, challenge, { began, entries, known }))
      .finally(() => renewals.delete(challenge));
    renewals.set(challenge, renewal);
    return renewal;
  }

  async function complete(
    db: Db,
    challenge: string,
    { began, entries, known }: { began: number; entries: readonly QueueEntry[]; known: Reading | null },
  ): Promise<Reading> {
    const reading: Reading = {
      ...{ at: began, tookMs: 0, last: 0, length: 0, since: null, numbers: new Map() },
      ...{ served: new Map(), servedAt: began },
    };
    addEntries(reading, entries);
    if (known && began - known.servedAt < SERVED_FRESH_MS) {
      reading.served = known.served;
      reading.servedAt = known.servedAt;
    } else if (reading.numbers.size > 1) reading.served = await readServed(db, challenge, reading.since);
    reading.tookMs = monotonic() - began;
    readings.set(challenge, reading);
    return reading;
  }

  return {
    async placeOf(db, { challenge, number, participant_id }) {
      const { numbers, served } = await read(db, challenge, number);
      const list = numbers.get(participant_id) ?? [number];
      const own = countBelow(list, number);
      const turn = { served: served.get(participant_id), first: list[0]! };
      let ahead = own;
      for (const [participant, others] of numbers)
        if (participant !== participant_id) {
          const isBefore = isTurnBefore({ served: served.get(participant), first: others[0]! }, turn);
          ahead += Math.min(others.length, isBefore ? own + 1 : own);
        }
      return ahead + 1;
    },
  };
}

const freshMs = ({ tookMs }: Reading) => Math.max(FRESH_MS, Math.min(REST * tookMs, MAX_FRESH_MS));

/** Adds those that arrived after the reading, among them the one that is asked for. */
async function addNew(db: Db, challenge: string, reading: Reading): Promise<Reading> {
  addEntries(reading, await readQueue(db, challenge, reading.last));
  return reading;
}

function addEntries(reading: Reading, entries: readonly QueueEntry[]): void {
  for (const { number, participant_id, accepted_at } of entries) {
    // Another call may have added it in the meantime.
    if (number <= reading.last) continue;
    const own = reading.numbers.get(participant_id);
    if (own) own.push(number);
    else reading.numbers.set(participant_id, [number]);
    reading.since ??= accepted_at;
    reading.last = number;
    reading.length++;
  }
}

/** Orders waiting submissions as they will be taken: in each round, one of each participant. */
export function inFairOrder<T extends Pick<QueueEntry, "participant_id" | "number">>(
  queue: readonly T[],
  served: Served,
): T[] {
  const lists = new Map<number, T[]>();
  for (const entry of queue) {
    const list = lists.get(entry.participant_id);
    if (list) list.push(entry);
    else lists.set(entry.participant_id, [entry]);
  }
  const turns = [...lists]
    .map(([participant, list]) => ({ list, served: served.get(participant), first: list[0]!.number }))
    .sort((one, other) => (isTurnBefore(one, other) ? -1 : 1));
  const rounds: T[][] = [];
  for (const { list } of turns)
    for (const [round, entry] of list.entries()) {
      rounds[round] ??= [];
      rounds[round].push(entry);
    }
  return rounds.flat();
}

/** A participant's turn: when they were last served, and the number of their first waiting submission. */
interface Turn {
  served: string | undefined;
  first: number;
}

/** Those who were not served yet are first, by arrival; then those who were served longest ago. */
function isTurnBefore(one: Turn, other: Turn): boolean {
  const [before, after] = [one.served ?? "", other.served ?? ""];
  return before === after ? one.first < other.first : before < after;
}

/** Returns the waiting submissions of a challenge with a higher number than `after`, by number. */
export async function readQueue(db: Db, challenge: string, after = 0): Promise<QueueEntry[]> {
  const queue: QueueEntry[] = [];
  for (;;) {
    const chunk = await waiting(db, { challenge, after: queue.at(-1)?.number ?? after });
    queue.push(...chunk);
    if (chunk.length < CHUNK) return queue;
    await setImmediate();
  }
}

const waiting = statement((db, { challenge, after }: { challenge: string; after: number }) =>
  waitingIn(db, challenge)
    .select(["submissions.id", "submissions.number", "submissions.participant_id", "submissions.accepted_at"])
    .select(["submissions.input_kind", "submissions.function"])
    .where("submissions.number", ">", after)
    .orderBy("submissions.number")
    .limit(CHUNK),
);

const waitingIn = (db: Db, challenge: string) =>
  db
    .selectFrom("submissions")
    .leftJoin("submission_code", "submission_code.submission", "submissions.id")
    .where("submissions.challenge", "=", challenge)
    .where("submissions.state", "=", "submitted")
    .where("outside_status", "is", null)
    // One that waits for its code delays no other.
    .where((eb) => eb.or([eb("submission_code.holds", "is", null), eb("submission_code.holds", "=", 0)]));

/** Returns who was served since the first submission of the queue arrived: it was not empty since then. */
export async function readServed(db: Db, challenge: string, since: string | null): Promise<Served> {
  const rows = await lastStarts(db, { challenge });
  const recent = rows.flatMap(({ participant_id, started_at }) =>
    started_at && started_at >= (since ?? "") ? [[participant_id, started_at] as const] : [],
  );
  return new Map(recent);
}

/** The last start of each participant with waiting submissions: a participant's own are taken in order. */
const lastStarts = statement((db, { challenge }: { challenge: string }) =>
  db
    .selectFrom(
      waitingIn(db, challenge)
        .select(({ fn }) => ["submissions.participant_id", fn.min("submissions.number").as("first")])
        .groupBy("submissions.participant_id")
        .as("turns"),
    )
    .select((eb) => [
      "turns.participant_id",
      eb
        .selectFrom("submissions as taken")
        .innerJoin("attempts", (join) =>
          join.onRef("attempts.submission", "=", "taken.id").onRef("attempts.number", "=", "taken.attempt"),
        )
        .select("attempts.started_at")
        .whereRef("taken.participant_id", "=", "turns.participant_id")
        .whereRef("taken.number", "<", "turns.first")
        .where("taken.challenge", "=", challenge)
        .where("attempts.started_at", "is not", null)
        .orderBy("taken.number", "desc")
        .limit(1)
        .as("started_at"),
    ]),
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
