import type { Report } from "@crowdai/shared";
import { gradingSeconds } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { AttemptRow, RegradeItemRow } from "../../records/tables.ts";
import { DEADLINES, MAX_STARTS } from "../submissions/deadlines.ts";
import { outcomeColumns } from "../submissions/run-record.ts";
import type { Needs } from "../submissions/services.ts";
import { isVerdict } from "../submissions/verdicts.ts";
import { findOpenItem, keepCurrentGrade, updateAttempt, updateItem } from "./regrade-items.ts";

/**
 * Applies a report of an attempt that belongs to a regrade; false when it belongs to none. The caller has
 * locked the submission, which keeps its outcome and its events: progress and log lines of a regrade are not
 * shown.
 */
export async function applyRegradeReport(
  context: Needs<"catalog" | "clock">,
  trx: Db,
  report: Report,
): Promise<boolean> {
  const item = await findOpenItem(trx, report.submission);
  if (!item || item.attempt !== report.attempt) return false;
  const attempt = await trx
    .selectFrom("attempts")
    .selectAll()
    .where("submission", "=", item.submission)
    .where("number", "=", item.attempt)
    .executeTakeFirstOrThrow();
  if (attempt.state === "done" || attempt.state === "lost" || report.delivery < attempt.delivery)
    return false;
  if (report.type === "started") await start(context, trx, item, attempt, report);
  if (report.type === "released") await putBack(context, trx, item, attempt);
  if (report.type === "finished") await finish(context, trx, item, attempt, report);
  return true;
}

async function start(
  context: Needs<"catalog" | "clock">,
  trx: Db,
  item: RegradeItemRow,
  attempt: AttemptRow,
  { delivery, grader }: Report,
): Promise<void> {
  if (attempt.delivery === delivery) return;
  const now = context.clock();
  if (item.starts >= MAX_STARTS)
    return keepCurrentGrade(
      trx,
      item,
      `Grading was attempted ${item.starts} times, and the grader was lost each time.`,
      now,
    );
  await updateAttempt(trx, item, { state: "started", delivery, grader, started_at: iso(now) });
  const challenge = await challengeOf(trx, item);
  const served = context.catalog.all().get(challenge);
  const limit = served ? gradingSeconds(served.config) * 1000 : DEADLINES.unknownGrading;
  const deadline_at = iso(now.getTime() + limit + DEADLINES.gradingGrace);
  await updateItem(trx, item, { state: "grading", starts: item.starts + 1, deadline_at });
}

async function putBack(
  context: Needs<"clock">,
  trx: Db,
  item: RegradeItemRow,
  attempt: AttemptRow,
): Promise<void> {
  if (attempt.state !== "started") return;
  await updateAttempt(trx, item, { state: "waiting" });
  const deadline_at = iso(context.clock().getTime() + DEADLINES.submitted);
  await updateItem(trx, item, { state: "queued", starts: item.starts - 1, deadline_at });
}

async function finish(
  context: Needs<"catalog" | "clock">,
  trx: Db,
  item: RegradeItemRow,
  attempt: AttemptRow,
  { delivery, grader, outcome, organiser_log, seconds }: Extract<Report, { type: "finished" }>,
): Promise<void> {
  const now = context.clock();
  const challenge = await challengeOf(trx, item);
  // The queue omits a start that was followed at once by its end.
  const isStarted = attempt.state === "started" && attempt.delivery === delivery;
  await updateAttempt(trx, item, {
    state: "done",
    delivery,
    grader,
    started_at: isStarted ? attempt.started_at : iso(now.getTime() - (seconds ?? 0) * 1000),
    finished_at: iso(now),
    evaluator_version: outcome.evaluator_version,
    ...outcomeColumns(context.catalog.all().get(challenge)?.config, outcome),
    organiser_log,
  });
  // Only a verdict on the submission replaces its outcome; a fault of the evaluator or the platform says
  // nothing about it.
  const charges = !outcome.ok && (outcome.charge ?? isVerdict(outcome.code));
  const result = outcome.ok ? "graded" : charges ? "failed" : "kept";
  const reason = outcome.ok ? null : `${outcome.code}: ${outcome.message}`;
  await updateItem(trx, item, { state: "done", deadline_at: null, result, reason });
}

async function challengeOf(trx: Db, { regrade }: RegradeItemRow): Promise<string> {
  const { challenge } = await trx
    .selectFrom("regrades")
    .select("challenge")
    .where("id", "=", regrade)
    .executeTakeFirstOrThrow();
  return challenge;
}
