import { catalog as errors, type Report, type SubmissionEvent } from "@crowdai/shared";
import { gradingSeconds } from "@crowdai/shared/challenge-folder";
import type { Transaction, Updateable } from "kysely";
import { iso } from "../../base/clock.ts";
import { ATTEMPT_COLUMNS } from "../../records/columns.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import type { AttemptRow, SubmissionRow, Tables } from "../../records/tables.ts";
import { DEADLINES, MAX_STARTS } from "./deadlines.ts";
import { appendEvents } from "./events.ts";
import { participantLock, standingsLock, writeSubmission } from "./find-submission.ts";
import { outcomeColumns } from "./run-record.ts";
import type { Needs } from "./services.ts";
import { writeFailure, writeGrade } from "./write-outcome.ts";

/** The services that applying a report uses. */
export type ReportNeeds = Needs<
  "records" | "catalog" | "clock" | "log" | "gradingTimes" | "metrics" | "announce" | "dispatchSoon"
>;

/**
 * Applies a report of an attempt that is not the submission's current one; false when it belongs to no
 * regrade.
 */
export type ApplyRegradeReport = (trx: Db, report: Report) => Promise<boolean>;

/**
 * Applies a grader's report exactly once. Reports of an older attempt or delivery, or of a submission that
 * has ended, are rejected: they are logged and change nothing.
 */
export async function applyReport(
  context: ReportNeeds,
  report: Report,
  applyRegradeReport: ApplyRegradeReport,
): Promise<void> {
  const applied = await commit(context.records, "apply-report", async (trx) => {
    const current = await currentAttempt(context.records, trx, report);
    if (current) return { current, events: await applyTo(context, trx, current, report) };
    return (await applyRegradeReport(trx, report)) ? "to a regrade" : null;
  });
  if (applied === "to a regrade") {
    // The queue has a free place for the regrade's next job.
    if (report.type === "finished") context.dispatchSoon();
  } else if (applied) {
    const { current, events } = applied;
    if (report.type === "finished") recordTime(context, current, report.seconds);
    context.announce(current.row.challenge, events);
  } else {
    context.metrics.refused(report.type);
    context.log.warn(
      {
        event: "late_report_rejected",
        submission: report.submission,
        attempt: report.attempt,
        type: report.type,
      },
      "late report rejected",
    );
  }
}

function applyTo(
  context: ReportNeeds,
  trx: Transaction<Tables>,
  current: Current,
  report: Report,
): Promise<SubmissionEvent[]> {
  switch (report.type) {
    case "started":
      return start(context, trx, current, report);
    case "progress":
    case "log":
      return record(context, trx, current.row, report);
    case "released":
      return requeue(context, trx, current, report.reason);
    case "finished":
      return finish(context, trx, current, report);
  }
}

interface Current {
  row: SubmissionRow;
  attempt: AttemptRow;
}

function recordTime(
  context: Needs<"clock" | "gradingTimes">,
  { row, attempt }: Current,
  seconds: number | null,
): void {
  const began = attempt.started_at;
  if (seconds === null && began === null) return;
  const ms = seconds === null ? context.clock().getTime() - Date.parse(began as string) : seconds * 1000;
  context.gradingTimes.record(row.challenge, ms);
}

async function currentAttempt(
  records: Records,
  trx: Transaction<Tables>,
  report: Report,
): Promise<Current | null> {
  const row = await records.lockSubmission(trx, report.submission);
  if (!row || row.attempt !== report.attempt || (row.state !== "submitted" && row.state !== "grading"))
    return null;
  const attempt = await attemptOf(trx, { id: row.id, attempt: row.attempt });
  if (!attempt || attempt.state === "done" || attempt.state === "lost") return null;
  return report.delivery < attempt.delivery ? null : { row, attempt };
}

type NumberedAttempt = Pick<SubmissionRow, "id" | "attempt">;

const attemptOf = lookup((trx, { id, attempt }: NumberedAttempt) =>
  trx
    .selectFrom("attempts")
    .select(ATTEMPT_COLUMNS)
    .where("submission", "=", id)
    .where("number", "=", attempt),
);

const writeAttempt = statement(
  (trx, { id, attempt, ...changed }: NumberedAttempt & Updateable<Tables["attempts"]>) =>
    trx.updateTable("attempts").set(changed).where("submission", "=", id).where("number", "=", attempt),
);

async function start(
  context: Needs<"clock" | "catalog" | "log">,
  trx: Db,
  { row, attempt }: Current,
  report: Extract<Report, { type: "started" }>,
): Promise<SubmissionEvent[]> {
  if (attempt.state === "started" && attempt.delivery === report.delivery) return [];
  const now = context.clock();
  if (row.starts >= MAX_STARTS) {
    context.log.error(
      { event: "submission_given_up", submission: row.id, challenge: row.challenge, starts: row.starts },
      "submission given up: its grader was lost each time",
    );
    return failExhausted(trx, row, now);
  }
  const { id, attempt: number } = row;
  const { delivery, grader } = report;
  await writeAttempt(trx, { id, attempt: number, state: "started", delivery, grader, started_at: iso(now) });
  const served = context.catalog.all().get(row.challenge);
  const limit = served ? gradingSeconds(served.config) * 1000 : DEADLINES.unknownGrading;
  const events = startEventsOf(row, report);
  await writeSubmission(trx, {
    id,
    state: "grading",
    starts: row.starts + 1,
    seq: row.seq + events.length,
    deadline_at: iso(now.getTime() + limit + DEADLINES.gradingGrace),
  });
  return appendEvents(trx, row, iso(now), events);
}

function startEventsOf(row: SubmissionRow, { grader }: Report) {
  return [
    // It was already grading: its grader was lost, and another one picked it up.
    ...(row.state === "grading"
      ? [{ type: "requeued" as const, data: { reason: "the grader was lost" } }]
      : []),
    { type: "grading" as const, data: { attempt: row.attempt, grader } },
  ];
}

/** Begins each message of a grading whose challenge is gone: the participant can stop in time. */
const REMOVED = "The challenge was removed; unless it returns, nothing will be graded.";

async function record(
  context: Needs<"clock" | "catalog">,
  trx: Db,
  row: SubmissionRow,
  report: Extract<Report, { type: "progress" | "log" }>,
): Promise<SubmissionEvent[]> {
  await writeSubmission(trx, { id: row.id, seq: row.seq + 1 });
  const isServed = context.catalog.all().has(row.challenge);
  const data =
    report.type === "progress"
      ? {
          percent: report.percent,
          message: isServed ? report.message : [REMOVED, report.message].filter(Boolean).join(" "),
          ...(report.stage ? { stage: report.stage } : {}),
        }
      : { message: report.message };
  return appendEvents(trx, row, iso(context.clock()), [{ type: report.type, data }]);
}

/** The grader returned the job: the queue delivers it again, and the start does not count. */
async function requeue(
  context: Needs<"clock">,
  trx: Db,
  { row, attempt }: Current,
  reason: string,
): Promise<SubmissionEvent[]> {
  if (attempt.state !== "started") return [];
  const now = context.clock();
  await writeAttempt(trx, { id: row.id, attempt: row.attempt, state: "waiting" });
  await writeSubmission(trx, {
    id: row.id,
    state: "submitted",
    starts: row.starts - 1,
    seq: row.seq + 1,
    deadline_at: iso(now.getTime() + DEADLINES.submitted),
  });
  return appendEvents(trx, row, iso(now), [{ type: "requeued", data: { reason } }]);
}

async function finish(
  context: Needs<"records" | "catalog" | "clock" | "log">,
  trx: Transaction<Tables>,
  { row: before, attempt }: Current,
  report: Extract<Report, { type: "finished" }>,
): Promise<SubmissionEvent[]> {
  const { outcome, organiser_log } = report;
  const now = context.clock();
  // The queue omits a start that was followed at once by its end; the history contains it all the same.
  const isStarted = attempt.state === "started" && attempt.delivery === report.delivery;
  const startEvents = isStarted ? [] : startEventsOf(before, report);
  const row = { ...before, state: "grading" as const };
  const challenge = context.catalog.all().get(row.challenge);
  // The organizer finds in the broker's log what the participant is not shown. A failure of the submission
  // itself is not logged: what participants' code printed stays with the attempt.
  if (!outcome.ok && (errors[outcome.code] ?? errors.unexpected).fault !== "you")
    context.log.warn(
      {
        event: "grading_failed",
        submission: row.id,
        challenge: row.challenge,
        code: outcome.code,
        organiser_log,
      },
      "grading failed",
    );
  if (outcome.ok && outcome.media_dropped)
    context.log.warn(
      { event: "evaluator_media_dropped", submission: row.id, challenge: row.challenge, organiser_log },
      "evaluator media dropped",
    );
  await writeAttempt(trx, {
    id: row.id,
    attempt: row.attempt,
    state: "done",
    accepted: 1,
    delivery: report.delivery,
    grader: report.grader,
    started_at: isStarted ? attempt.started_at : iso(now.getTime() - (report.seconds ?? 0) * 1000),
    finished_at: iso(now),
    evaluator_version: outcome.evaluator_version,
    ...outcomeColumns(challenge?.config, outcome),
    organiser_log,
  });
  await context.records.lock(trx, participantLock(row));
  await context.records.lockShared(trx, standingsLock(row.challenge));
  const removed = {
    code: "deadline_passed" as const,
    message: "The challenge was removed before the submission was graded.",
  };
  return outcome.ok && challenge
    ? writeGrade(trx, challenge.config, row, outcome, now, startEvents)
    : writeFailure(trx, row, outcome.ok ? removed : outcome, now, startEvents);
}

/** Ends a submission whose grading took its grader down too often. */
export async function failExhausted(trx: Db, row: SubmissionRow, now: Date): Promise<SubmissionEvent[]> {
  await writeAttempt(trx, { id: row.id, attempt: row.attempt, state: "lost", finished_at: iso(now) });
  const message = `Grading was attempted ${row.starts} times, and the grader was lost each time.`;
  return writeFailure(trx, row, { code: "gave_up", message }, now);
}
