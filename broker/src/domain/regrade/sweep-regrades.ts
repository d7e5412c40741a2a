import type { Transaction } from "kysely";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { RegradeItemRow, Tables } from "../../records/tables.ts";
import type { Needs } from "../submissions/services.ts";
import { findOpenItem, isOpen, keepCurrentGrade, restartItem, runningRegrades } from "./regrade-items.ts";
import { swapGrades } from "./swap-grades.ts";

const BATCH = 200;

/**
 * Handles overdue attempts of regrades, and swaps the grades of every regrade whose attempts have all ended.
 */
export async function sweepRegrades(
  context: Needs<"records" | "catalog" | "clock" | "log" | "dispatchSoon">,
): Promise<void> {
  const { db } = context.records;
  const overdue = await overdueItems(db, { now: iso(context.clock()) });
  for (const { submission } of overdue)
    await withItem(context, submission, async (trx, item) => {
      const now = context.clock();
      // Another broker or a report may have changed it meanwhile.
      const deadline = item.deadline_at as string;
      if (deadline >= iso(now)) return;
      if (item.state === "grading") await restartItem(trx, item, now);
      else await keepCurrentGrade(trx, item, `No grader picked it up by ${deadline}.`, now);
    });
  const running = await runningRegrades(db, {});
  for (const regrade of running) if (!(await isOpen(db, regrade.id))) await swapGrades(context, regrade);
  if (running.length > 0) context.dispatchSoon();
}

/** Returns items that the queue may have lost to the queue. */
export async function republishRegrades(trx: Db): Promise<void> {
  // Deliveries of a queued job count from 1 again.
  await forgetDeliveries(trx, {});
  await returnQueuedItems(trx, {});
}

/** Gives items that no grader holds a new attempt. */
export async function restartRegrades(
  context: Needs<"records" | "clock">,
  known: (submissions: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<void> {
  const grading = await itemsInGrading(context.records.db, {});
  for (let at = 0; at < grading.length; at += BATCH) {
    const ids = grading.slice(at, at + BATCH).map(({ submission }) => submission);
    const held = await known(ids);
    for (const id of ids.filter((one) => !held.has(one)))
      await withItem(context, id, async (trx, item) => {
        if (item.state === "grading") await restartItem(trx, item, context.clock(), { counts: false });
      });
  }
}

const overdueItems = statement((db, { now }: { now: string }) =>
  db.selectFrom("regrade_items").select("submission").where("deadline_at", "<", now).limit(BATCH),
);

const forgetDeliveries = statement((db, _none: Record<never, never>) =>
  db
    .updateTable("attempts")
    .set({ delivery: 0 })
    .where("state", "=", "waiting")
    .where("submission", "in", (on) =>
      on.selectFrom("regrade_items").select("submission").where("state", "=", "queued"),
    ),
);

const returnQueuedItems = statement((db, _none: Record<never, never>) =>
  db.updateTable("regrade_items").set({ state: "waiting" }).where("state", "=", "queued"),
);

const itemsInGrading = statement((db, _none: Record<never, never>) =>
  db.selectFrom("regrade_items").select("submission").where("state", "=", "grading"),
);

/** Works on a submission's open item with the submission locked, as reports do. */
function withItem(
  { records }: Needs<"records">,
  submission: string,
  work: (trx: Transaction<Tables>, item: RegradeItemRow) => Promise<void>,
): Promise<void> {
  return commit(records, "sweep-regrades", async (trx) => {
    await records.lockSubmission(trx, submission);
    const item = await findOpenItem(trx, submission);
    if (item) await work(trx, item);
  });
}
