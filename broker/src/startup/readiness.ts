import { iso } from "../base/clock.ts";
import type { Catalog } from "../domain/challenges/catalog.ts";
import type { Needs } from "../domain/submissions/services.ts";
import { HOLDS } from "../domain/submissions/submission-code.ts";
import type { Readiness } from "../http/api/health-routes.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { QueueWatch } from "./queue-watch.ts";
import type { StorageCheck } from "./storage-check.ts";

const GRACE_MS = 60_000;
/** A frozen database does not answer at all. */
const ANSWER_MS = 3000;

/** Name under which report processing is watched; everything else that is watched is a sweep. */
export const REPORTS = "reports";

/**
 * Reports ready when the records answer, the disk can be written, the queue accepts jobs, no submission is
 * more than a minute past its deadline (of those that do not wait for their participant), queues move while a
 * grader is free, reports are applied and the sweeps run. A stall shows within two minutes.
 */
export async function readReadiness(
  context: Needs<"records" | "clock" | "dispatchStalled"> & {
    storage: StorageCheck;
    catalog: Pick<Catalog, "all">;
  },
  heartbeats: Pick<Heartbeats, "problems">,
  queueWatch: Pick<QueueWatch, "stalled">,
  answerMs = ANSWER_MS,
): Promise<Readiness> {
  const checks: Record<string, string> = {};
  try {
    const overdue = await within(
      answerMs,
      context.records.db
        .selectFrom("submissions")
        .leftJoin("submission_code", "submission_code.submission", "submissions.id")
        .select("id")
        .where("submissions.deadline_at", "<", iso(context.clock().getTime() - GRACE_MS))
        // Those that wait for their participant's bytes or code are not a sign of a problem here.
        .where("submissions.state", "in", ["submitted", "grading"])
        .where((eb) => eb.or([eb("holds", "is", null), eb("holds", "=", HOLDS.no)]))
        .limit(1)
        .executeTakeFirst(),
    );
    checks.records = "ok";
    checks.deadlines = overdue ? "a submission is past its deadline" : "ok";
  } catch {
    checks.records = "the records do not answer";
  }
  checks.storage = await within(answerMs, context.storage()).catch(() => "the disk does not answer");
  checks.queue = context.dispatchStalled() ? "the queue accepts no jobs" : "ok";
  // Everyone may read this.
  const stalled = queueWatch
    .stalled()
    .map((id) => (context.catalog.all().get(id)?.config.visibility.private ? "a private challenge" : id));
  checks.line =
    stalled.length > 0 ? `the queue does not move although a grader is free: ${stalled.join(", ")}` : "ok";
  const problems = heartbeats.problems();
  const reports = problems.get(REPORTS);
  checks.reports = reports ? `applying reports ${reports}` : "ok";
  problems.delete(REPORTS);
  checks.sweeps = [...problems].map(([name, problem]) => `${name} ${problem}`).join("; ") || "ok";
  return { ready: Object.values(checks).every((check) => check === "ok"), checks };
}

function within<T>(ms: number, asked: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer")), ms);
  return Promise.race([asked, promise]).finally(() => clearTimeout(timer));
}
