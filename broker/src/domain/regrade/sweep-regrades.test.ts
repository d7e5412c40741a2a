import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DAY, type Domain, graded, INTENT, openDomain } from "../../../test/support/domain.ts";
import { regradesOf } from "../../../test/support/regrades.ts";
import { DEADLINES, MAX_ATTEMPTS } from "../submissions/deadlines.ts";
import { createRecovery } from "../submissions/recover-queue.ts";
import { republishRegrades, restartRegrades } from "./sweep-regrades.ts";

const { id } = INTENT;
let domain: Domain;
let regrades: ReturnType<typeof regradesOf>;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  regrades = regradesOf(domain);
  await regrades.grade();
  await regrades.grade("submission-2");
  await regrades.start();
  domain.seen.dispatched.length = 0;
});
afterEach(() => domain.close());

const attempt = async () => (await domain.attempts()).at(-1);
/** Calls `meanwhile` when a sweep has found what is overdue, before it locks the first submission. */
function beforeLock(meanwhile: () => Promise<unknown>) {
  const { records } = domain.services;
  const { transaction } = records;
  records.transaction = async (work) => {
    records.transaction = transaction;
    await meanwhile();
    return transaction(work);
  };
}

describe("a sweep of regrades", () => {
  it("keeps the grade of a submission that no grader picked up within a week", async () => {
    const deadline = domain.at(7 * DAY);
    await regrades.setItem({ deadline_at: domain.at(8 * DAY) }, "submission-2");
    domain.pass(7 * DAY);
    await regrades.sweep();
    expect(await regrades.item()).toMatchObject({ state: "waiting" });
    domain.pass(1);
    await regrades.sweep();
    expect(await regrades.item()).toMatchObject({
      ...{
        state: "done",
        deadline_at: null,
        result: "kept",
        reason: `No grader picked it up by ${deadline}.`,
      },
    });
    expect(await attempt()).toMatchObject({ state: "lost", finished_at: domain.at() });
    expect(await domain.row()).toMatchObject({ state: "graded", score: 1 });
    expect(await regrades.item("submission-2")).toMatchObject({ state: "waiting" });
    expect(await domain.attempts("submission-2")).toMatchObject([{ state: "done" }, { state: "waiting" }]);
  });

  it("gives a submission whose grader stopped responding a new attempt", async () => {
    await regrades.report({ type: "started" });
    domain.pass(5000 + DEADLINES.gradingGrace + 1);
    await regrades.sweep();
    expect(await regrades.item()).toMatchObject({
      ...{ state: "waiting", attempt: 3, starts: 1, deadline_at: domain.at(7 * DAY), result: null },
    });
    expect(await domain.attempts()).toMatchObject([
      { number: 1, state: "done" },
      { number: 2, state: "lost", finished_at: domain.at() },
      { number: 3, state: "waiting", regrade: 1, accepted: 0 },
    ]);
    expect(await regrades.finish(graded(9))).toMatchObject({ state: "waiting" });
    expect(domain.seen.refused).toEqual(["finished"]);
    expect(await regrades.item("submission-2")).toMatchObject({ attempt: 2, state: "waiting" });
  });

  it("gives a job up that loses its grader three times", async () => {
    await regrades.report({ type: "started" });
    await regrades.setItem({ starts: 2 });
    domain.pass(5000 + DEADLINES.gradingGrace + 1);
    await regrades.sweep();
    expect(await regrades.item()).toMatchObject({ state: "waiting", attempt: 3 });
    await regrades.report({ type: "started", attempt: 3 });
    domain.pass(5000 + DEADLINES.gradingGrace + 1);
    await regrades.sweep();
    expect(await regrades.item()).toMatchObject({
      ...{ state: "done", deadline_at: null, result: "kept", attempt: 3 },
      reason: "Grading was attempted 2 times, and the grader was lost.",
    });
    expect(await attempt()).toMatchObject({ number: 3, state: "lost" });
  });

  it.each([
    ["was started", () => regrades.report({ type: "started" })],
    ["is due now", () => regrades.setItem({ deadline_at: domain.at() })],
    ["has ended", () => regrades.finish(graded(2))],
  ])("leaves a submission as it is that %s meanwhile", async (_, meanwhile) => {
    await regrades.setItem({ deadline_at: domain.at(-1) });
    let changed: unknown;
    beforeLock(async () => {
      await meanwhile();
      changed = await regrades.item();
    });
    await regrades.sweep();
    expect(await regrades.item()).toEqual(changed);
  });

  it("asks for jobs to be queued while a regrade runs, and otherwise not", async () => {
    await regrades.sweep();
    expect(domain.seen.dispatched).toEqual(["all"]);
    await regrades.setRegrade({ state: "cancelled" });
    await regrades.sweep();
    expect(domain.seen.dispatched).toEqual(["all"]);
  });

  it("swaps the grades once no attempt is open", async () => {
    let refreshed = 0;
    const { refresh } = domain.services.catalog;
    domain.services.catalog.refresh = () => {
      refreshed++;
      return refresh();
    };
    await regrades.finish(graded(2));
    for (const state of ["waiting", "queued", "grading"] as const) {
      await regrades.setItem({ state }, "submission-2");
      await regrades.sweep();
      expect(await domain.row()).toMatchObject({ score: 1 });
    }
    // It reads folders, so not once a second.
    expect(refreshed).toBe(0);
    await regrades.finish(graded(3), { submission: "submission-2" });
    await regrades.sweep();
    expect(await domain.row()).toMatchObject({ score: 2 });
    expect(await regrades.regrade()).toMatchObject({ state: "done" });
  });
});

describe("a regrade whose queue was lost", () => {
  const recovery = () =>
    createRecovery(domain.services, {
      republishRegrades,
      restartRegrades: (known) => restartRegrades(domain.services, known),
    });

  it("queues its jobs again, whose deliveries count from 1 again", async () => {
    await regrades.report({ type: "started", delivery: 2 });
    await regrades.report({ type: "released", delivery: 2 });
    await regrades.report({ type: "started", delivery: 3, submission: "submission-2" });
    expect(await regrades.item()).toMatchObject({ state: "queued" });
    await recovery().republish("the queue was lost");
    expect(await regrades.item()).toMatchObject({ state: "waiting", attempt: 2 });
    expect(await regrades.report({ type: "started", delivery: 1 })).toMatchObject({ state: "grading" });
    expect(domain.seen.refused).toEqual([]);
    // A grader still has this one.
    expect(await regrades.item("submission-2")).toMatchObject({ state: "grading" });
    expect((await domain.attempts("submission-2")).at(-1)).toMatchObject({ state: "started", delivery: 3 });
  });

  it("gives what no grader holds a new attempt, which does not count as lost by its grader", async () => {
    await regrades.report({ type: "started" });
    await regrades.report({ type: "started", submission: "submission-2" });
    await recovery().restart("the queue was lost", async (ids) => new Set(ids.filter((one) => one !== id)));
    expect(await regrades.item()).toMatchObject({ state: "waiting", attempt: 3, starts: 0 });
    expect(await regrades.item("submission-2")).toMatchObject({ state: "grading", attempt: 2, starts: 1 });
  });

  it("gives up what has had too many attempts", async () => {
    await regrades.report({ type: "started" });
    const more = Array.from({ length: MAX_ATTEMPTS - 2 }, (_, index) => ({
      ...{ submission: id, number: 10 + index, state: "lost" as const, delivery: 1, accepted: 0, regrade: 1 },
    }));
    await domain.db.insertInto("attempts").values(more).execute();
    // Those of an earlier regrade do not count.
    await domain.db.updateTable("attempts").set({ regrade: 7 }).where("number", "=", 10).execute();
    const restart = () => recovery().restart("the queue was lost", async () => new Set<string>());
    await restart();
    expect(await regrades.item()).toMatchObject({ state: "waiting", attempt: 3 });
    await regrades.report({ type: "started", attempt: 3 });
    await domain.db
      .insertInto("attempts")
      .values({ ...more[0]!, number: 40 })
      .execute();
    await restart();
    expect(await regrades.item()).toMatchObject({
      ...{ state: "done", result: "kept" },
      reason: "Grading was attempted 20 times, and the grader was lost.",
    });
  });

  it("asks for what graders hold in groups of 200", async () => {
    const asked: number[] = [];
    const known = async (ids: readonly string[]) => {
      asked.push(ids.length);
      return new Set(ids);
    };
    await restartRegrades(domain.services, known);
    expect(asked).toEqual([]);
    const items = Array.from({ length: 201 }, (_, index) => ({
      ...{ regrade: 1, submission: `one-of-many-${index}`, number: 10 + index, state: "grading" as const },
      ...{ attempt: 2, starts: 1, deadline_at: domain.at() },
    }));
    const { number: _, ...row } = await domain.row();
    await domain.db
      .insertInto("submissions")
      .values(items.map(({ submission }) => ({ ...row, id: submission })))
      .execute();
    await domain.db.insertInto("regrade_items").values(items).execute();
    await restartRegrades(domain.services, known);
    expect(asked).toEqual([200, 1]);
  });

  it("leaves what ended while graders were asked", async () => {
    await regrades.report({ type: "started" });
    await regrades.report({ type: "started", submission: "submission-2" });
    await restartRegrades(domain.services, async () => {
      await regrades.report({ type: "released" });
      await regrades.finish(graded(2), { submission: "submission-2" });
      return new Set<string>();
    });
    expect(await regrades.item()).toMatchObject({ state: "queued", attempt: 2 });
    expect(await regrades.item("submission-2")).toMatchObject({ state: "done", result: "graded" });
  });
});
