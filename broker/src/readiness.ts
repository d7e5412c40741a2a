import { iso } from "./clock.ts";
import type { Readiness } from "./routes/health.ts";
import type { SubmissionContext } from "./submissions/context.ts";

const GRACE_MS = 60_000;

/** Ready when the records answer, the queue takes jobs, and nothing has outlived its deadline by more than a minute. */
export async function readReadiness(context: SubmissionContext): Promise<Readiness> {
  const checks: Record<string, string> = {};
  try {
    const overdue = await context.records.db
      .selectFrom("submissions")
      .select("id")
      .where("deadline_at", "<", iso(context.clock().getTime() - GRACE_MS))
      .limit(1)
      .executeTakeFirst();
    checks.records = "ok";
    checks.deadlines = overdue ? "a submission has outlived its deadline" : "ok";
  } catch {
    checks.records = "the records do not answer";
  }
  checks.queue = context.dispatchStalled() ? "the queue takes no jobs" : "ok";
  return { ready: Object.values(checks).every((check) => check === "ok"), checks };
}
