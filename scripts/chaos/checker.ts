import { sortKeys } from "../../broker/src/domain/leaderboard/standings.ts";
import type { Records } from "../../broker/src/records/records.ts";
import type { AttemptRow, SlotRow, StandingTable, SubmissionRow } from "../../broker/src/records/tables.ts";
import type { SubmissionEvent } from "../../cli/src/index.ts";
import type { ChallengeConfig } from "../../shared/src/challenge-folder/index.ts";
import { isLastEvent } from "../../shared/src/index.ts";
import type { History } from "./clients.ts";

/** One promise, and each time it was broken. */
export interface Finding {
  promise: string;
  broken: string[];
}

const FINAL = new Set(["graded", "failed", "cancelled"]);

/** Reads every client's history and the records, and says what does not fit. */
export async function checkRun(
  records: Records,
  histories: readonly History[],
  configs: ReadonlyMap<string, ChallengeConfig>,
): Promise<Finding[]> {
  const { db } = records;
  const submissions = await db.selectFrom("submissions").selectAll().execute();
  const attempts = groupBy(await db.selectFrom("attempts").selectAll().execute(), "submission");
  const slots = groupBy(await db.selectFrom("slots").selectAll().execute(), "submission");
  const events = groupBy(
    await db.selectFrom("events").selectAll().orderBy("submission").orderBy("seq").execute(),
    "submission",
  );
  const standings = await db
    .selectFrom("standings")
    .selectAll()
    .where("board", "in", ["current", "ongoing"])
    .execute();
  const byId = new Map(submissions.map((row) => [row.id, row]));
  const gaveUp = submissions.filter((row) => row.error_code === "gave_up");
  const startsOf = (id: string) => (events.get(id) ?? []).filter(({ type }) => type === "grading").length;

  return [
    finding("acknowledged and lost", histories, ({ acknowledged, work }) =>
      acknowledged && !byId.has(work.id) ? work.id : null,
    ),
    finding("graded twice", submissions, (row) =>
      twice(row, attempts.get(row.id) ?? [], events.get(row.id) ?? []),
    ),
    finding("late report applied", submissions, ({ id }) =>
      findLateReport(id, attempts.get(id) ?? [], events.get(id) ?? []),
    ),
    finding("wrong verdict", histories, (history) => wrongVerdict(history, byId.get(history.work.id))),
    equalInputs(histories, byId),
    finding("leaderboard doubled or wrong", wrongBoards(submissions, standings, configs), (wrong) => wrong),
    finding("left unfinished", submissions, (row) => unfinished(row, new Date())),
    finding("slots wrong", submissions, (row) =>
      wrongSlot(row, slots.get(row.id) ?? [], events.get(row.id) ?? []),
    ),
    finding("event numbers with gaps", submissions, (row) => wrongNumbers(row, events.get(row.id) ?? [])),
    finding("client saw a gap or a repeat", histories, (history) =>
      wrongView(history, events.get(history.work.id) ?? []),
    ),
    finding("never accepted", histories, ({ acknowledged, refusal, work }) =>
      acknowledged || refusal ? null : work.id,
    ),
    finding("client refused", histories, ({ work, refusal }) => (refusal ? `${work.id}: ${refusal}` : null)),
    finding("given up by the platform", gaveUp, ({ id }) =>
      startsOf(id) >= 3 ? null : `${id} after ${startsOf(id)} starts`,
    ),
  ];
}

function finding<T>(promise: string, all: readonly T[], look: (one: T) => string | null): Finding {
  return { promise, broken: all.map(look).filter((one) => one !== null) };
}

/**
 * An external grader may replace its grade, and repeats it after a lost answer: each time is another last
 * event.
 */
export function twice(
  { id, outside_status }: Pick<SubmissionRow, "id" | "outside_status">,
  attempts: readonly Pick<AttemptRow, "accepted">[],
  events: readonly { type: SubmissionEvent["type"] }[],
): string | null {
  const accepted = attempts.filter((attempt) => attempt.accepted === 1).length;
  const last = events.filter(({ type }) => isLastEvent(type)).length;
  return accepted > 1 || (last > 1 && outside_status === null)
    ? `${id}: ${accepted} accepted attempts, ${last} last events`
    : null;
}

/** An external grader, which the broker cannot ask, has until its deadline. */
export function unfinished({ id, state, outside_status, deadline_at }: Unfinished, now: Date): string | null {
  const waits =
    state === "submitted" && outside_status !== null && deadline_at !== null && new Date(deadline_at) > now;
  return FINAL.has(state) || waits ? null : `${id} is ${state}`;
}
type Unfinished = Pick<SubmissionRow, "id" | "state" | "outside_status" | "deadline_at">;

/**
 * Deliveries of an attempt are counted, and each start of one is an event: when more have started than the
 * accepted one's number, it was an older one. A job that its grader returned may be counted from 1 again, by
 * a queue that was rebuilt.
 */
export function findLateReport(
  id: string,
  attempts: readonly Pick<AttemptRow, "number" | "delivery" | "accepted">[],
  events: readonly { type: SubmissionEvent["type"]; data: string }[],
): string | null {
  const accepted = attempts.find((attempt) => attempt.accepted === 1);
  if (!accepted) return null;
  let starts = 0;
  for (const { type, data } of events) {
    const { reason, attempt } = JSON.parse(data) as { reason?: string; attempt?: number };
    if (type === "requeued" && reason !== "the grader was lost") starts = 0;
    if (type === "grading" && attempt === accepted.number) starts++;
  }
  return accepted.delivery < starts
    ? `${id}: accepted delivery ${accepted.delivery}, after ${starts} had started`
    : null;
}

function wrongVerdict({ work: { id, expected } }: History, row: SubmissionRow | undefined): string | null {
  if (!row || !FINAL.has(row.state) || row.error_code === "gave_up") return null;
  const verdict = row.state === "graded" ? `score ${row.score}` : `${row.state} with ${row.error_code}`;
  if (expected === null)
    return row.state === "graded" || row.error_code === "rejected" ? null : `${id}: ${verdict}`;
  const wanted = "score" in expected ? `score ${expected.score}` : "failed with rejected";
  return verdict === wanted ? null : `${id}: ${verdict}, not ${wanted}`;
}

function equalInputs(histories: readonly History[], byId: ReadonlyMap<string, SubmissionRow>): Finding {
  const first = new Map<string, string>();
  return finding("equal inputs, other scores", histories, ({ work }) => {
    const row = byId.get(work.id);
    if (!row || !FINAL.has(row.state) || row.error_code === "gave_up") return null;
    const input = `${work.challenge} ${work.name}`;
    const verdict = `${row.state} ${row.score}`;
    const known = first.get(input) ?? verdict;
    first.set(input, known);
    return known === verdict ? null : `${work.id}: ${verdict}, not ${known}`;
  });
}

/**
 * Graded and refused are the participant's, and cancelled while it was graded, as it always may be by an
 * external grader; whatever else ended it gives the slot back. Other functions and dry runs take none.
 */
export function wrongSlot(
  row: Pick<SubmissionRow, "id" | "state" | "function" | "dry_run" | "error_code" | "outside_status">,
  slots: readonly Pick<SlotRow, "state">[],
  events: readonly { type: SubmissionEvent["type"] }[],
): string | null {
  const begun =
    row.outside_status !== null ||
    events.findLast(({ type }) => type === "grading" || type === "requeued")?.type === "grading";
  const verdict =
    row.state === "graded" || row.error_code === "rejected" || (row.state === "cancelled" && begun);
  const settled = !FINAL.has(row.state) ? "reserved" : verdict ? "charged" : "returned";
  const wanted = row.function === "submit" && row.dry_run === 0 ? settled : "";
  const states = slots.map(({ state }) => state).join(", ");
  return states === wanted
    ? null
    : `${row.id} is ${row.state} (${row.error_code}), its slots: ${states || "none"}`;
}

function wrongNumbers(
  row: SubmissionRow,
  events: readonly { seq: number; type: SubmissionEvent["type"] }[],
): string | null {
  const gapless = events.every(({ seq }, index) => seq === index + 1) && row.seq === events.length;
  const last = events.at(-1);
  const ends =
    FINAL.has(row.state) === (last !== undefined && isLastEvent(last.type)) &&
    (!FINAL.has(row.state) || last?.type === row.state);
  return gapless && ends
    ? null
    : `${row.id} is ${row.state} at ${row.seq}: ${events.map(({ seq, type }) => `${seq} ${type}`).join(", ")}`;
}

/** Compares a client's view with the history of the records, which must match whole and in order. */
function wrongView(
  { work, acknowledged, events }: History,
  recorded: readonly { seq: number; type: SubmissionEvent["type"] }[],
): string | null {
  if (!acknowledged) return null;
  const format = (list: readonly { seq: number; type: string }[]) =>
    list.map(({ seq, type }) => `${seq} ${type}`).join(", ");
  return format(events) === format(recorded)
    ? null
    : `${work.id} saw ${format(events) || "nothing"}; recorded is ${format(recorded)}`;
}

/** Rebuilds the boards from the submissions and compares. */
function wrongBoards(
  submissions: readonly SubmissionRow[],
  standings: readonly StandingTable[],
  configs: ReadonlyMap<string, ChallengeConfig>,
): string[] {
  const best = new Map<string, SubmissionRow & { keys: [number, number] }>();
  for (const row of submissions) {
    const config = configs.get(row.challenge);
    if (!config || row.state !== "graded" || row.function !== "submit" || row.dry_run === 1) continue;
    if (row.baseline === 1) continue;
    const { sort_primary, sort_secondary } = sortKeys(config, row.score, row.score_secondary);
    const mine = { ...row, keys: [sort_primary, sort_secondary] as [number, number] };
    for (const board of row.post_challenge === 1 ? ["ongoing"] : ["current", "ongoing"]) {
      const place = `${row.challenge} ${row.round} ${board} ${row.participant_id}`;
      const known = best.get(place);
      if (!known || isBetter(mine, known)) best.set(place, mine);
    }
  }
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const { challenge, round, board, participant_id, submission } of standings) {
    const place = `${challenge} ${round} ${board} ${participant_id}`;
    if (seen.has(place)) wrong.push(`${place} stands there twice`);
    seen.add(place);
    if (best.get(place)?.id !== submission)
      wrong.push(`${place} is ${submission}, not ${best.get(place)?.id}`);
  }
  for (const [place, { id }] of best)
    if (!seen.has(place)) wrong.push(`${place} is missing, should be ${id}`);
  return wrong;
}

type Ranked = SubmissionRow & { keys: [number, number] };

function isBetter(one: Ranked, other: Ranked): boolean {
  const order = (row: Ranked) => [...row.keys, row.created_at, row.number];
  const others = order(other);
  for (const [index, value] of order(one).entries())
    if (value !== others[index]) return value < others[index]!;
  return false;
}

function groupBy<K extends string, T extends Record<K, string>>(
  rows: readonly T[],
  key: K,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row[key]);
    if (group) group.push(row);
    else groups.set(row[key], [row]);
  }
  return groups;
}
