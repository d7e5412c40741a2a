import { iso } from "../base/clock.ts";
import type { SubmissionContext } from "../domain/submissions/context.ts";
import type { Readiness } from "../http/api/health-routes.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { QueueWatch } from "./queue-watch.ts";

const GRACE_MS = 60_000;
/** A database that is frozen gives no answer at all. */
const ANSWER_MS = 3000;

/** Name under which applying reports is watched; what else is watched are sweeps. */
export const REPORTS = "reports";

/**
 * Ready when the records answer, the queue takes jobs, nothing has outlived its deadline by more than a minute, lines move while a
 * grader is free, reports are applied and the sweeps run. A standstill shows within two minutes.
 */
export async function readReadiness(
  context: Pick<SubmissionContext, "records" | "clock" | "dispatchStalled">,
  heartbeats: Pick<Heartbeats, "troubles">,
  line: Pick<QueueWatch, "stalled">,
  answerMs = ANSWER_MS,
): Promise<Readiness> {
  const checks: Record<string, string> = {};
  try {
    const overdue = await within(
      answerMs,
      context.records.db
        .selectFrom("submissions")
        .select("id")
        .where("deadline_at", "<", iso(context.clock().getTime() - GRACE_MS))
        .limit(1)
        .executeTakeFirst(),
    );
    checks.records = "ok";
    checks.deadlines = overdue ? "a submission has outlived its deadline" : "ok";
  } catch {
    checks.records = "the records do not answer";
  }
  checks.queue = context.dispatchStalled() ? "the queue takes no jobs" : "ok";
  const stalled = line.stalled();
  checks.line =
    stalled.length > 0
      ? `the first in line is not taken though a grader is free: ${stalled.join(", ")}`
      : "ok";
  const troubles = heartbeats.troubles();
  const reports = troubles.get(REPORTS);
  checks.reports = reports ? `applying reports ${reports}` : "ok";
  troubles.delete(REPORTS);
  checks.sweeps = [...troubles].map(([name, trouble]) => `${name} ${trouble}`).join("; ") || "ok";
  return { ready: Object.values(checks).every((check) => check === "ok"), checks };
}

function within<T>(ms: number, asked: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer")), ms);
  return Promise.race([asked, promise]).finally(() => clearTimeout(timer));
}
