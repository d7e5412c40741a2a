import type { IntentRequest, Outcome, Report } from "@crowdai/shared";
import { applyRegradeReport } from "../../src/domain/regrade/apply-regrade-report.ts";
import { readRegrade } from "../../src/domain/regrade/regrade-status.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { sweepRegrades } from "../../src/domain/regrade/sweep-regrades.ts";
import type { RegradeItemRow, RegradeRow } from "../../src/records/tables.ts";
import { ADA, type Domain, graded, INTENT } from "./domain.ts";

const { id, challenge } = INTENT;

interface Grading extends Partial<IntentRequest> {
  by?: typeof ADA;
}

/** Re-grading in a domain, whose submissions have had one attempt each. */
export const regradesOf = (domain: Domain) => {
  const { services, records, db } = domain;
  /** Applies a report of the second attempt; resolves to the item afterwards. */
  const report = async (one: Partial<Report> & Pick<Report, "type">): Promise<RegradeItemRow> => {
    await domain.report({ attempt: 2, ...one }, (trx, report) => applyRegradeReport(services, trx, report));
    return item(one.submission);
  };
  /** Returns the latest item of a submission. */
  const item = (submission = id): Promise<RegradeItemRow> =>
    db
      .selectFrom("regrade_items")
      .selectAll()
      .where("submission", "=", submission)
      .orderBy("regrade", "desc")
      .limit(1)
      .executeTakeFirstOrThrow();
  return {
    report,
    item,
    /** Submits, and ends the first attempt. */
    async end(submission: string, outcome: Outcome, { by = ADA, ...more }: Grading = {}) {
      await domain.submit({ id: submission, ...more }, by);
      return domain.report({ type: "finished", outcome, submission });
    },
    /** Submits, and grades the first attempt. */
    async grade(submission = id, score = 1, more: Grading = {}) {
      return this.end(submission, graded(score), more);
    },
    start: () => startRegrade(records, challenge, services.clock()),
    finish: (outcome: Outcome, more: Partial<Report> = {}) =>
      report({ type: "finished", outcome, ...more } as Report),
    sweep: () => sweepRegrades(services),
    items: () => db.selectFrom("regrade_items").selectAll().orderBy("number").execute(),
    status: () => readRegrade(db, { challenge }),
    regrade: () => db.selectFrom("regrades").selectAll().orderBy("id", "desc").executeTakeFirstOrThrow(),
    setItem: (values: Partial<RegradeItemRow>, submission = id) =>
      db.updateTable("regrade_items").set(values).where("submission", "=", submission).execute(),
    setRegrade: (values: Partial<RegradeRow>) => db.updateTable("regrades").set(values).execute(),
  };
};
