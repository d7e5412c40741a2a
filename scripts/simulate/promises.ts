import type { DatabaseSync } from "node:sqlite";
import type { SubmissionEvent } from "@crowdai/shared";
import { type ErrorCode, catalog as errors, isFinal, type SubmissionState } from "@crowdai/shared";
import { isVerdict } from "../../broker/src/domain/submissions/verdicts.ts";
import { SLOTS_EACH } from "./simulated-broker.ts";
import { outcomeOf } from "./simulated-grader.ts";
import { Violation } from "./violation.ts";

/** A submission, its events, its attempts and its slot. */
export interface Row {
  id: string;
  number: number;
  participant_id: number;
  state: SubmissionState;
  seq: number;
  events: number;
  last_event: number;
  verdicts: number;
  accepted: number;
  /** Of the accepted attempt: what the records say, and what the outcome itself says. */
  delivery: string | null;
  outcome_of: string | null;
  /** Of the current attempt. */
  attempt: number;
  started: number | null;
  slot: string | null;
  score: number | null;
  error_code: ErrorCode | null;
  input_data: string | null;
  created_at: string;
  /** Whether a grader reported that the agent plays. */
  plays: number;
  /** How often the deadline of a grading passed. */
  overdue: number;
}

/** Promises that depend on the challenge. */
export interface Verdicts {
  /** Calls `fail` unless this is the right end. */
  check(row: Row, fail: (promise: string, message: string) => never): void;
  /** Returns the states that the slot of a submission may have that ended without a grade. */
  slots(row: Row): readonly (string | null)[];
}

/**
 * The promises of the product, checked after each commit against everything that was acknowledged and
 * announced.
 */
export interface Promises {
  /** A client has a receipt. */
  acknowledged(id: string): void;
  /** A client has a refusal. */
  refused(id: string): void;
  announced(events: readonly SubmissionEvent[]): void;
  checkCommit(): void;
  checkEnd(): void;
  /** Whether every submission and every regrade has ended. */
  isQuiet(): boolean;
}

/** Prepared once for all schedules of a database. */
const prepared = new WeakMap<DatabaseSync, ReturnType<typeof prepare>>();

function queriesOf(sqlite: DatabaseSync): ReturnType<typeof prepare> {
  const known = prepared.get(sqlite) ?? prepare(sqlite);
  prepared.set(sqlite, known);
  return known;
}

function prepare(sqlite: DatabaseSync) {
  const all = sqlite.prepare(`
    select id, number, participant_id, state, seq, score, error_code, input_data, created_at,
      (select count(*) from events where events.submission = submissions.id) as events,
      (select coalesce(max(seq), 0) from events where events.submission = submissions.id) as last_event,
      (select count(*) from events where events.submission = submissions.id
        and type in ('graded', 'failed', 'cancelled')) as verdicts,
      (select count(*) from events where events.submission = submissions.id
        and type = 'progress' and data like '%"stage":"play"%') as plays,
      (select count(*) from events where events.submission = submissions.id
        and type = 'requeued' and data like '%stopped responding%') as overdue,
      (select count(*) from attempts where attempts.submission = submissions.id and accepted = 1) as accepted,
      (select number || '.' || delivery from attempts where attempts.submission = submissions.id and accepted = 1)
        as delivery,
      (select evaluator_version from attempts where attempts.submission = submissions.id and accepted = 1)
        as outcome_of,
      attempt,
      (select delivery from attempts where attempts.submission = submissions.id
        and attempts.number = submissions.attempt and attempts.state in ('started', 'done')) as started,
      (select state from slots where slots.submission = submissions.id) as slot
    from submissions order by number`);
  const board = sqlite.prepare(
    "select participant_id, submission from standings where board = 'current' order by participant_id",
  );
  const disqualified = sqlite.prepare(`
    select participant_id from disqualifications as latest where decision = 'disqualified'
      and not exists (select 1 from disqualifications as later
        where later.participant_id = latest.participant_id and later.id > latest.id)`);
  const running = sqlite.prepare("select 1 from regrades where state = 'running'");
  return { all, board, disqualified, running };
}

export function createPromises(sqlite: DatabaseSync, verdicts: Verdicts = ofNumbers): Promises {
  const { all, board, disqualified, running } = queriesOf(sqlite);
  /** The number of the last event of each submission that is committed. */
  const committed = new Map<string, number>();
  const acknowledged = new Set<string>();
  const refused = new Set<string>();
  const ended = new Map<string, string>();
  /** Each submission as it was. */
  const latest = new Map<string, Pick<Row, "attempt" | "started">>();
  let quiet = true;

  const fail = (promise: string, message: string): never => {
    throw new Violation(promise, message);
  };

  function check(row: Row): void {
    const { id, state } = row;
    if (row.events !== row.seq || row.last_event !== row.seq)
      fail(
        "events without gaps",
        `${id} has ${row.events} events up to ${row.last_event}, and counts ${row.seq}`,
      );
    if (row.verdicts !== (isFinal(state) ? 1 : 0))
      fail("graded once", `${id} is ${state} with ${row.verdicts} verdicts`);
    if (row.accepted > 1) fail("graded once", `${id} has ${row.accepted} accepted attempts`);
    if (state === "graded" && row.accepted !== 1) fail("graded once", `${id} has no accepted attempt`);
    if (row.delivery !== row.outcome_of)
      fail(
        "late reports are rejected",
        `${id} has the outcome of ${row.outcome_of} as that of ${row.delivery}`,
      );
    const known = latest.get(id);
    if (known?.attempt === row.attempt && known.started !== null && (row.started ?? Infinity) < known.started)
      fail("late reports are rejected", `${id} went back from delivery ${known.started} to ${row.started}`);
    latest.set(id, row);
    const before = ended.get(id);
    const now = `${state} ${row.score} ${row.error_code}`;
    if (before !== undefined && before !== now) fail("a verdict stays", `${id} was ${before} and is ${now}`);
    if (isFinal(state)) ended.set(id, now);
    verdicts.check(row, fail);
    checkSlot(row);
  }

  function checkSlot(row: Row): void {
    const { id, state, slot } = row;
    const expected = state === "graded" ? ["charged"] : isFinal(state) ? verdicts.slots(row) : ["reserved"];
    if (slot === null || !expected.includes(slot))
      fail("exact slots", `${id} is ${state}, its slot is ${slot}`);
  }

  function checkBoard(rows: readonly Row[]): void {
    const best = new Map<number, Row>();
    const out = new Set(disqualified.all().map(({ participant_id }) => participant_id as number));
    for (const row of rows) {
      if (row.state !== "graded" || out.has(row.participant_id)) continue;
      const current = best.get(row.participant_id);
      if (current === undefined || isBetter(row, current)) best.set(row.participant_id, row);
    }
    const expected = [...best].sort(([one], [other]) => one - other).map(([who, { id }]) => `${who} ${id}`);
    const found = (board.all() as { participant_id: number; submission: string }[]).map(
      ({ participant_id, submission }) => `${participant_id} ${submission}`,
    );
    if (found.join() !== expected.join())
      fail("the board is the grades", `it has ${found.join(", ")} instead of ${expected.join(", ")}`);
  }

  return {
    acknowledged: (id) => void acknowledged.add(id),
    refused: (id) => void refused.add(id),
    announced(events) {
      for (const { submission, seq } of events)
        if (seq > (committed.get(submission) ?? 0))
          fail("announced after the commit", `event ${seq} of ${submission} is not in the records`);
    },
    checkCommit() {
      const rows = all.all() as unknown as Row[];
      const used = new Map<number, number>();
      for (const row of rows) {
        committed.set(row.id, row.seq);
        check(row);
        if (row.slot !== "returned") used.set(row.participant_id, (used.get(row.participant_id) ?? 0) + 1);
      }
      for (const [who, count] of used)
        if (count > SLOTS_EACH) fail("exact slots", `participant ${who} has ${count} of ${SLOTS_EACH}`);
      checkBoard(rows);
      quiet = rows.every(({ state }) => isFinal(state)) && running.get() === undefined;
      const known = new Set(rows.map(({ id }) => id));
      for (const id of acknowledged) if (!known.has(id)) fail("nothing is lost", `${id} was acknowledged`);
      for (const id of refused)
        if (known.has(id)) fail("a refusal is true", `${id} was refused, and is registered`);
    },
    checkEnd() {
      for (const { id, state, error_code } of all.all() as unknown as Row[]) {
        if (!isFinal(state)) fail("nothing stays", `${id} is ${state}`);
        if (error_code !== null && errors[error_code] === undefined) fail("a reason", `${id}: ${error_code}`);
      }
    },
    isQuiet: () => quiet,
  };
}

/** Submissions are numbers. */
const ofNumbers: Verdicts = {
  check({ id, state, score, error_code, input_data }, fail) {
    const expected = outcomeOf(Number(input_data));
    if (state === "graded" && (!expected.ok || expected.score !== score))
      fail("the right verdict", `${id} got ${score} for ${input_data}`);
    if (state !== "failed" || error_code === "gave_up") return;
    if (expected.ok || expected.code !== error_code)
      fail("the right verdict", `${id} failed with ${error_code}`);
  },
  slots: ({ state, error_code }) =>
    state === "cancelled" ? ["charged", "returned"] : isVerdict(error_code!) ? ["charged"] : ["returned"],
};

const isBetter = (one: Row, other: Row): boolean =>
  one.score! !== other.score!
    ? one.score! > other.score!
    : one.created_at !== other.created_at
      ? one.created_at < other.created_at
      : one.number < other.number;
