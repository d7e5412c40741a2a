import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DAY, type Domain, failed, graded, openDomain } from "../../../test/support/domain.ts";
import { regradesOf } from "../../../test/support/regrades.ts";
import { DEADLINES, MAX_STARTS } from "../submissions/deadlines.ts";
import { applyRegradeReport } from "./apply-regrade-report.ts";
import { cancelRegrade } from "./cancel-regrade.ts";
import { updateAttempt, updateItem } from "./regrade-items.ts";
import { readRegrade } from "./regrade-status.ts";
import { startRegrade } from "./start-regrade.ts";

let domain: Domain;
let regrades: ReturnType<typeof regradesOf>;
let before: unknown;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  regrades = regradesOf(domain);
  await regrades.grade();
  await regrades.start();
  await regrades.setItem({ state: "queued" });
  domain.pass(1000);
  before = [await domain.row(), await domain.events(), await domain.slot()];
});
afterEach(() => domain.close());

const attempt = async () => (await domain.attempts()).at(-1);
const refused = () => domain.seen.refused.splice(0);
const cancel = () => cancelRegrade(domain.records, "sums", new Date(domain.now()));

describe("of a regrade, a start", () => {
  it("counts once, and gives the grading its time", async () => {
    const started = await regrades.report({ type: "started", grader: "g2" });
    expect(started).toMatchObject({
      ...{ state: "grading", starts: 1, deadline_at: domain.at(5000 + DEADLINES.gradingGrace) },
    });
    expect(await attempt()).toMatchObject({
      ...{ number: 2, state: "started", delivery: 1, grader: "g2", started_at: domain.at() },
    });
    domain.pass(1000);
    expect(await regrades.report({ type: "started" })).toEqual(started);
    expect(await regrades.report({ type: "started", delivery: 2 })).toMatchObject({
      ...{ starts: 2, deadline_at: domain.at(5000 + DEADLINES.gradingGrace) },
    });
    expect(refused()).toEqual([]);
    expect([await domain.row(), await domain.events(), await domain.slot()]).toEqual(before);
  });

  it("of a challenge that was removed has ten minutes", async () => {
    domain.challenges.clear();
    expect(await regrades.report({ type: "started" })).toMatchObject({
      deadline_at: domain.at(600_000 + DEADLINES.gradingGrace),
    });
  });

  it("beyond the third ends the attempt, and the grade stays", async () => {
    for (let delivery = 1; delivery <= MAX_STARTS; delivery++)
      expect(await regrades.report({ type: "started", delivery })).toMatchObject({ state: "grading" });
    expect(await regrades.report({ type: "started", delivery: 4 })).toMatchObject({
      ...{ state: "done", deadline_at: null, result: "kept", starts: 3 },
      reason: "Grading was attempted 3 times, and the grader was lost each time.",
    });
    expect(await attempt()).toMatchObject({ state: "lost", finished_at: domain.at() });
    expect([await domain.row(), await domain.events(), await domain.slot()]).toEqual(before);
  });
});

describe("of a regrade, a job that its grader returned", () => {
  it("is queued again, and the start does not count", async () => {
    await regrades.report({ type: "started" });
    expect(await regrades.report({ type: "released" })).toMatchObject({
      ...{ state: "queued", starts: 0, deadline_at: domain.at(7 * DAY) },
    });
    expect(await attempt()).toMatchObject({ state: "waiting", delivery: 1 });
  });

  it("twice is returned once", async () => {
    const queued = await regrades.item();
    expect(await regrades.report({ type: "released" })).toEqual(queued);
  });
});

describe("of a regrade, an end", () => {
  it("stores the outcome with the attempt, until all are swapped", async () => {
    await regrades.report({ type: "started" });
    const started = domain.at();
    domain.pass(2000);
    const outcome = graded(2, { evaluator_version: "v2" });
    expect(
      await regrades.finish(outcome, { grader: "g2", organiser_log: "a line", seconds: 1 }),
    ).toMatchObject({
      ...{ state: "done", deadline_at: null, result: "graded", reason: null },
    });
    expect(await attempt()).toMatchObject({
      ...{
        state: "done",
        accepted: 0,
        delivery: 1,
        grader: "g2",
        started_at: started,
        finished_at: domain.at(),
      },
      ...{ evaluator_version: "v2", outcome: JSON.stringify(outcome), organiser_log: "a line" },
    });
    expect([await domain.row(), await domain.events(), await domain.slot()]).toEqual(before);
    expect(domain.seen.dispatched).toContain("all");
  });

  it.each([
    ["of which the start was omitted", async () => {}],
    ["of another delivery than the start", () => regrades.report({ type: "started", delivery: 1 })],
    [
      "of a returned job",
      async () => {
        await regrades.report({ type: "started", delivery: 2 });
        await regrades.report({ type: "released", delivery: 2 });
      },
    ],
  ])("%s began as many seconds before as the grader says", async (_, prepare) => {
    await prepare();
    domain.pass(9000);
    await regrades.finish(graded(2), { delivery: 2, seconds: 3 });
    expect(await attempt()).toMatchObject({ started_at: domain.at(-3000), delivery: 2 });
  });

  it("without a start and without seconds began when it ended", async () => {
    await regrades.finish(graded(2));
    expect(await attempt()).toMatchObject({ started_at: domain.at() });
  });

  it.each([
    ["fails the submission", "rejected", {}, "failed"],
    ["keeps the grade", "evaluator_crashed", {}, "kept"],
    ["keeps the grade", "rejected", { charge: false }, "kept"],
    ["fails the submission", "evaluator_crashed", { charge: true }, "failed"],
  ])("%s: %s %j", async (_, code, more, result) => {
    expect(await regrades.finish(failed(code, more))).toMatchObject({
      ...{ state: "done", result, reason: `${code}: It is ${code}.` },
    });
  });

  it.each([
    [{ accepts: { json: {} } }, null],
    [{ run: { command: ["a"], output: { path: "b" }, logs: "all" } }, "42"],
  ])("hides what a run printed unless the challenge shows it: %j", async (config, stdout) => {
    domain.serve({ accepts: {}, ...config });
    const stage = { stage: "run", seconds: 1, cpu_seconds: 1, memory_mb: 1, exit_code: 0, signal: null };
    await regrades.finish(graded(2, { run: { stages: [{ ...stage, stdout: "42", stderr: null }] } }));
    expect(JSON.parse((await attempt())!.run!).stages).toMatchObject([{ stdout }]);
  });

  it("counts while the challenge is not served", async () => {
    domain.challenges.clear();
    expect(await regrades.finish(graded(2))).toMatchObject({ result: "graded" });
  });
});

describe("of a regrade, a report", () => {
  it("on the progress changes nothing", async () => {
    const started = await regrades.report({ type: "started" });
    expect(await regrades.report({ type: "progress", percent: 1, message: null })).toEqual(started);
    expect(await regrades.report({ type: "log", message: "a line" })).toEqual(started);
    expect(refused()).toEqual([]);
    expect(await domain.events()).toHaveLength(4);
  });

  it.each([
    ["an older attempt", { attempt: 1 }],
    ["an attempt to come", { attempt: 3 }],
    ["an older delivery", { delivery: 1 }],
    ["another submission", { submission: "submission-2" }],
  ])("of %s is refused", async (_, of) => {
    await regrades.grade("submission-2");
    const started = await regrades.report({ type: "started", delivery: 2 });
    const report = { type: "finished", outcome: graded(9), attempt: 2, delivery: 2, ...of } as const;
    await domain.report(report, (trx, one) => applyRegradeReport(domain.services, trx, one));
    expect(refused()).toEqual(["finished"]);
    expect(await regrades.item()).toEqual(started);
  });

  it.each(["done", "lost"] as const)("of an attempt that is %s is refused", async (state) => {
    await domain.db.updateTable("attempts").set({ state }).where("number", "=", 2).execute();
    const item = await regrades.item();
    expect(await regrades.finish(graded(9))).toEqual(item);
    expect(refused()).toEqual(["finished"]);
  });

  it("that comes twice is refused", async () => {
    const done = await regrades.finish(graded(2));
    expect(refused()).toEqual([]);
    expect(await regrades.finish(graded(3))).toEqual(done);
    expect(refused()).toEqual(["finished"]);
  });
});

describe("a regrade that is cancelled", () => {
  const cancelled = {
    state: "done",
    deadline_at: null,
    result: "kept",
    reason: "The regrade was cancelled.",
  };

  it("keeps every grade, and refuses results on their way", async () => {
    await regrades.grade("submission-2", 1);
    expect(await cancel()).toBe(true);
    expect(await regrades.regrade()).toMatchObject({ state: "cancelled", finished_at: domain.at() });
    expect(await regrades.finish(graded(9))).toMatchObject(cancelled);
    expect(refused()).toEqual(["finished"]);
    expect(await attempt()).toMatchObject({ state: "lost", finished_at: domain.at() });
    expect([await domain.row(), await domain.events(), await domain.slot()]).toEqual(before);
    expect(await cancel()).toBe(false);
  });

  it("leaves ended attempts, and the attempts of others, as they are", async () => {
    await startRegrade(domain.records, "other", new Date(domain.now()));
    await domain.submit({ id: "submission-2" });
    await regrades.finish(graded(2));
    expect(await cancel()).toBe(true);
    expect(await regrades.item()).toMatchObject(cancelled);
    expect(await attempt()).toMatchObject({ state: "done" });
    expect(await domain.attempts("submission-2")).toMatchObject([{ state: "waiting" }]);
    expect(await readRegrade(domain.db, { challenge: "other" })).toMatchObject({ state: "running" });
  });

  it("at the same time as a report stays cancelled", async () => {
    const read = await regrades.item();
    await cancel();
    await updateItem(domain.db, read, { state: "grading", deadline_at: domain.at() });
    await updateAttempt(domain.db, read, { state: "started" });
    expect(await regrades.item()).toMatchObject(cancelled);
    expect(await attempt()).toMatchObject({ state: "lost" });
  });
});

describe("the status of a regrade", () => {
  it("counts attempts by what became of them, and says why grades are kept", async () => {
    await cancel();
    for (const name of [
      "submission-two",
      "submission-three",
      "submission-four",
      "submission-five",
      "submission-six",
    ])
      await regrades.grade(name);
    const { id: regrade } = await regrades.start();
    expect(await regrades.status()).toMatchObject({ submissions: 6, done: 0, graded: 0, failed: 0, kept: 0 });
    await regrades.report({ type: "started", submission: "submission-two" });
    await regrades.finish(graded(2), { attempt: 3 });
    await regrades.finish(failed("rejected"), { submission: "submission-three" });
    await regrades.finish(failed("evaluator_crashed"), { submission: "submission-four" });
    await regrades.finish(failed("evaluator_crashed"), { submission: "submission-five" });
    const expected = {
      ...{ id: regrade, state: "running", submissions: 6, done: 4, graded: 1, failed: 1, kept: 2 },
      reasons: [{ reason: "evaluator_crashed: It is evaluator_crashed.", submissions: 2 }],
    };
    expect(await regrades.status()).toMatchObject(expected);
    expect(await readRegrade(domain.db, { id: regrade })).toMatchObject(expected);
    expect(await readRegrade(domain.db, { id: 1 })).toMatchObject({ state: "cancelled", submissions: 1 });
  });

  it("is that of the challenge, if it has ever been re-graded", async () => {
    expect(await readRegrade(domain.db, { challenge: "other" })).toBeUndefined();
  });
});
