import { sql } from "kysely";
import type { Metrics } from "../domain/metrics/metrics.ts";
import { headOfQueue, queuedAt } from "../domain/submissions/head-of-queue.ts";
import type { Needs } from "../domain/submissions/services.ts";
import type { Records } from "../records/records.ts";

const UNFINISHED = ["initiated", "submitted", "grading"] as const;

/**
 * Adds gauges of the records and the queue, read at each scrape. They count only unfinished submissions, by
 * challenge and through an index, so a million finished ones cost nothing.
 */
export function addGauges(
  metrics: Metrics,
  context: Needs<"records" | "catalog" | "clock" | "graders" | "dispatchStalled">,
): void {
  const challenges = () => [...context.catalog.all().keys()];
  const { db } = context.records;

  for (const state of UNFINISHED)
    metrics.gauge(
      `crowdai_submissions_${state}`,
      `Submissions in state ${state}.`,
      () => Promise.all(challenges().map(async (id) => [id, await countIn(db, id, state)] as const)),
      "challenge",
    );
  metrics.gauge(
    "crowdai_oldest_waiting_seconds",
    "Seconds that the head of the queue has waited; 0 when the queue is empty.",
    () =>
      Promise.all(
        challenges().map(async (id) => {
          const head = await headOfQueue(db, id);
          return [id, head ? Math.max(0, context.clock().getTime() - queuedAt(head)) / 1000 : 0] as const;
        }),
      ),
    "challenge",
  );
  metrics.gauge("crowdai_outbox_dispatch", "Attempts not yet in the queue.", async () => {
    const { count } = await db
      .selectFrom("attempts")
      .select(sql<number>`count(*)`.as("count"))
      .where("state", "=", "waiting")
      .where("published_at", "is", null)
      .executeTakeFirstOrThrow();
    return Number(count);
  });
  metrics.gauge(
    "crowdai_graders",
    "Attached graders that serve the challenge.",
    () =>
      Promise.all(challenges().map(async (id) => [id, (await context.graders.serving(id)).length] as const)),
    "challenge",
  );
  metrics.gauge(
    "crowdai_grader_unhealthy",
    "1 for an attached grader that takes no jobs because its machine has a problem.",
    async () =>
      (await context.graders.all()).map(({ grader, problem }) => [grader, problem ? 1 : 0] as const),
    "grader",
  );
  metrics.gauge("crowdai_queue_stalled", "1 while the queue accepts no jobs.", async () =>
    context.dispatchStalled() ? 1 : 0,
  );
}

async function countIn(
  db: Records["db"],
  challenge: string,
  state: (typeof UNFINISHED)[number],
): Promise<number> {
  const { count } = await db
    .selectFrom("submissions")
    .select(sql<number>`count(*)`.as("count"))
    .where("challenge", "=", challenge)
    .where("state", "=", state)
    .executeTakeFirstOrThrow();
  return Number(count);
}
