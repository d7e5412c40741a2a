import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Domain, failed, graded, INTENT, MINUTE, openDomain } from "../../../test/support/domain.ts";
import { DEADLINES, MAX_STARTS } from "./deadlines.ts";

const { id } = INTENT;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  await domain.submit();
  for (const list of Object.values(domain.seen)) list.length = 0;
});
afterEach(() => domain.close());

const types = async () => (await domain.events()).map(({ type }) => type).slice(2);
const attempt = async (number = 1) => (await domain.attempts())[number - 1]!;

describe("a start", () => {
  it("begins the grading, which then has as long as the evaluator and some more", async () => {
    domain.pass(MINUTE);
    const row = await domain.report({ type: "started" });
    expect(row).toMatchObject({ state: "grading", starts: 1, seq: 3 });
    expect(row.deadline_at).toBe(domain.at(5000 + DEADLINES.gradingGrace));
    expect(await attempt()).toMatchObject({ state: "started", grader: "g1", started_at: domain.at() });
    expect((await domain.events()).at(-1)).toEqual({
      ...{ seq: 3, type: "grading", data: { attempt: 1, grader: "g1" } },
    });
    expect(domain.seen.announced).toEqual([`sums ${id} 3 grading`]);
  });

  it("of a challenge that was removed gives its grader ten minutes", async () => {
    domain.challenges.clear();
    expect((await domain.report({ type: "started" })).deadline_at).toBe(domain.at(11 * MINUTE));
  });

  it("that is reported twice begins once", async () => {
    const once = await domain.report({ type: "started" });
    domain.pass(1000);
    expect(await domain.report({ type: "started" })).toEqual(once);
    expect(domain.seen.announced).toEqual([`sums ${id} 3 grading`]);
    expect(domain.seen.refused).toEqual([]);
  });

  it("of a later delivery says that the first grader was lost", async () => {
    await domain.report({ type: "started" });
    const row = await domain.report({ type: "started", delivery: 2, grader: "g2" });
    expect(row).toMatchObject({ state: "grading", starts: 2, seq: 5 });
    expect(await types()).toEqual(["grading", "requeued", "grading"]);
    expect((await domain.events()).at(-2)!.data).toEqual({ reason: "the grader was lost" });
    expect(await attempt()).toMatchObject({ delivery: 2, grader: "g2" });
  });

  it(`gives the submission up when ${MAX_STARTS} graders were lost with it, and returns the slot`, async () => {
    for (let delivery = 1; delivery <= MAX_STARTS; delivery++)
      expect(await domain.report({ type: "started", delivery })).toMatchObject({ state: "grading" });
    expect(await domain.report({ type: "started", delivery: MAX_STARTS + 1 })).toMatchObject({
      ...{ state: "failed", error_code: "gave_up", deadline_at: null },
      error_message: "Grading was attempted 3 times, and the grader was lost each time.",
    });
    expect(await attempt()).toMatchObject({ state: "lost", finished_at: domain.at() });
    expect(await domain.slot()).toMatchObject({ state: "returned", reason: "gave_up" });
    expect((await types()).at(-1)).toBe("failed");
    expect(domain.seen.logged).toMatchObject([{ event: "submission_given_up", submission: id, starts: 3 }]);
  });
});

describe("progress and log", () => {
  it("are appended to the history, numbered without gaps", async () => {
    await domain.report({ type: "started" });
    await domain.report({ type: "progress", percent: 50, message: "half" });
    await domain.report({ type: "progress", percent: null, message: null, stage: "build" });
    expect((await domain.report({ type: "log", message: "a line" })).seq).toBe(6);
    expect((await domain.events()).slice(3)).toEqual([
      { seq: 4, type: "progress", data: { percent: 50, message: "half" } },
      { seq: 5, type: "progress", data: { percent: null, message: null, stage: "build" } },
      { seq: 6, type: "log", data: { message: "a line" } },
    ]);
  });

  it("say so when the challenge was removed", async () => {
    await domain.report({ type: "started" });
    domain.challenges.clear();
    await domain.report({ type: "progress", percent: 1, message: "half" });
    await domain.report({ type: "progress", percent: 2, message: null });
    await domain.report({ type: "log", message: "a line" });
    const removed = "The challenge was removed; unless it returns, nothing will be graded.";
    expect((await domain.events()).slice(3).map(({ data }) => data.message)).toEqual([
      `${removed} half`,
      removed,
      "a line",
    ]);
  });
});

describe("a job that its grader returned", () => {
  it("waits again, and its start does not count", async () => {
    await domain.report({ type: "started" });
    domain.pass(1000);
    const row = await domain.report({ type: "released", reason: "the grader was stopped" });
    expect(row).toMatchObject({ state: "submitted", starts: 0, seq: 4, attempt: 1 });
    expect(row.deadline_at).toBe(domain.at(DEADLINES.submitted));
    expect(await attempt()).toMatchObject({ state: "waiting" });
    expect((await domain.events()).at(-1)).toMatchObject({
      ...{ type: "requeued", data: { reason: "the grader was stopped" } },
    });
    const again = await domain.report({ type: "started", delivery: 2 });
    expect(again).toMatchObject({ state: "grading", starts: 1 });
    expect(await types()).toEqual(["grading", "requeued", "grading"]);
  });

  it("may begin or end under the number that it had, where the queue lost its counts", async () => {
    await domain.report({ type: "started" });
    await domain.report({ type: "released", reason: "stopped" });
    expect(await domain.report({ type: "started" })).toMatchObject({ state: "grading", starts: 1 });
    await domain.report({ type: "released", reason: "stopped" });
    domain.pass(MINUTE);
    await domain.report({ type: "finished", outcome: graded(1) });
    expect(await types()).toEqual(["grading", "requeued", "grading", "requeued", "grading", "graded"]);
    expect((await attempt()).started_at).toBe(domain.at());
  });

  it("before it had started changes nothing", async () => {
    const before = await domain.row();
    expect(await domain.report({ type: "released", reason: "stopped" })).toEqual(before);
    expect(domain.seen.announced).toEqual([]);
  });
});

describe("the end", () => {
  it("is written once, with the attempt that it came from", async () => {
    await domain.report({ type: "started" });
    const begun = domain.at();
    domain.pass(2000);
    const outcome = graded(0.5);
    const row = await domain.report({ type: "finished", outcome, organiser_log: "a trace" });
    expect(row).toMatchObject({ state: "graded", score: 0.5, seq: 4, deadline_at: null });
    expect(row.finished_at).toBe(domain.at());
    const { outcome: stored, ...rest } = await attempt();
    expect(rest).toMatchObject({
      ...{ state: "done", accepted: 1, delivery: 1, grader: "g1", started_at: begun },
      ...{ finished_at: domain.at(), evaluator_version: "v1", organiser_log: "a trace", run: null },
    });
    expect(JSON.parse(stored!)).toEqual(outcome);
    expect(await domain.report({ type: "finished", outcome: graded(0.9) })).toEqual(row);
    expect(await types()).toEqual(["grading", "graded"]);
    expect(domain.seen.refused).toEqual(["finished"]);
    expect(domain.seen.announced).toEqual([`sums ${id} 3 grading`, `sums ${id} 4 graded`]);
  });

  it("whose start the queue omitted begins and ends in one step", async () => {
    domain.pass(MINUTE);
    const row = await domain.report({ type: "finished", outcome: graded(1), seconds: 4 });
    expect(row).toMatchObject({ state: "graded", seq: 4 });
    expect(await types()).toEqual(["grading", "graded"]);
    expect((await attempt()).started_at).toBe(domain.at(-4000));
  });

  it("whose start and duration are unknown counts as begun when it ended", async () => {
    await domain.report({ type: "finished", outcome: graded(1) });
    expect((await attempt()).started_at).toBe(domain.at());
  });

  it("of a later delivery than the one that started says that a grader was lost", async () => {
    await domain.report({ type: "started" });
    domain.pass(MINUTE);
    const later = { delivery: 2, grader: "g2", seconds: 4 };
    const row = await domain.report({ type: "finished", outcome: graded(1), ...later });
    expect(await types()).toEqual(["grading", "requeued", "grading", "graded"]);
    expect(row.seq).toBe(6);
    expect(await attempt()).toMatchObject({ delivery: 2, grader: "g2", started_at: domain.at(-4000) });
  });

  it("is measured from the start, or as the grader measured it", async () => {
    const mean = () => domain.services.gradingTimes.meanMs("sums");
    await domain.report({ type: "started" });
    domain.pass(3000);
    await domain.report({ type: "progress", percent: 1, message: null });
    expect(mean()).toBeNull();
    await domain.report({ type: "finished", outcome: graded(1) });
    expect(mean()).toBe(3000);
    await domain.submit({ id: "submission-2" });
    await domain.report({ submission: "submission-2", type: "finished", outcome: graded(1), seconds: 5 });
    expect(mean()).toBe(4000);
    await domain.submit({ id: "submission-3" });
    await domain.report({ submission: "submission-3", type: "finished", outcome: graded(1) });
    expect(mean()).toBe(4000);
  });

  it("locks the participant, and shares the standings with other grades", async () => {
    await domain.report({ type: "finished", outcome: graded(1) });
    expect(domain.seen.locked).toEqual(["participant:1:sums", "standings:sums shared"]);
  });

  it("of a challenge that was removed is a failure that costs no slot", async () => {
    await domain.report({ type: "started" });
    domain.challenges.clear();
    expect(await domain.report({ type: "finished", outcome: graded(1) })).toMatchObject({
      ...{ state: "failed", error_code: "deadline_passed", score: null },
      error_message: "The challenge was removed before the submission was graded.",
    });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
  });

  it("of a challenge that was removed keeps a failure's own reason", async () => {
    domain.challenges.clear();
    const row = await domain.report({ type: "finished", outcome: failed("rejected") });
    expect(row).toMatchObject({ error_code: "rejected", error_message: "It is rejected." });
    expect(await domain.slot()).toMatchObject({ state: "charged" });
  });

  it.each([
    ["evaluator_crashed", ["grading_failed"]],
    ["grader_lost", ["grading_failed"]],
    ["a_code_of_a_newer_grader", ["grading_failed"]],
    // Participants' code may print anything.
    ["code_crashed", []],
  ])("with %s is logged with the organizer's details: %j", async (code, expected) => {
    await domain.report({ type: "finished", outcome: failed(code), organiser_log: "a trace" });
    expect(domain.seen.logged.map(({ event }) => event)).toEqual(expected);
    for (const entry of domain.seen.logged) expect(entry).toMatchObject({ code, organiser_log: "a trace" });
  });

  it("is logged when the evaluator's media were dropped", async () => {
    const outcome = graded(1, { media_dropped: "It is not an image." });
    const row = await domain.report({ type: "finished", outcome });
    expect(row.media_dropped).toBe("It is not an image.");
    expect(domain.seen.logged.map(({ event }) => event)).toEqual(["evaluator_media_dropped"]);
  });

  it("with a grade and nothing dropped is not logged", async () => {
    expect((await domain.report({ type: "finished", outcome: graded(1) })).media_dropped).toBeNull();
    expect(domain.seen.logged).toEqual([]);
  });
});

describe("a late report", () => {
  const everyType = [
    { type: "started" },
    { type: "progress", percent: 1, message: null },
    { type: "log", message: "a line" },
    { type: "released", reason: "stopped" },
    { type: "finished", outcome: graded(1) },
  ] as const;

  async function changesNothing(place: { attempt?: number; delivery?: number; submission?: string }) {
    const all = async () => [await domain.row(), await domain.attempts(), await domain.events()];
    const before = await all();
    domain.seen.announced.length = 0;
    for (const report of everyType) await domain.report({ ...report, ...place });
    expect(await all()).toEqual(before);
    expect(domain.seen.refused).toEqual(everyType.map(({ type }) => type));
    expect(domain.seen.announced).toEqual([]);
    expect(domain.seen.dispatched).toEqual([]);
    expect(domain.services.gradingTimes.meanMs("sums")).toBeNull();
    expect(new Set(domain.seen.logged.map(({ event }) => event))).toEqual(new Set(["late_report_rejected"]));
  }

  it("of an earlier attempt changes nothing", async () => {
    await domain.set({ attempt: 2 });
    await changesNothing({ attempt: 1 });
  });

  it("of an attempt that does not exist yet changes nothing", async () => {
    await changesNothing({ attempt: 2 });
  });

  it("of an earlier delivery changes nothing", async () => {
    await domain.report({ type: "started", delivery: 2 });
    await changesNothing({ delivery: 1 });
  });

  it.each(["initiated", "cancelled", "failed", "graded"] as const)(
    "of a submission that is %s changes nothing",
    async (state) => {
      await domain.set({ state });
      await changesNothing({});
    },
  );

  it.each(["done", "lost"] as const)("of an attempt that is %s changes nothing", async (state) => {
    await domain.db.updateTable("attempts").set({ state }).execute();
    await changesNothing({});
  });

  it("of an attempt without a record changes nothing", async () => {
    await domain.set({ attempt: 7 });
    await changesNothing({ attempt: 7 });
  });

  it("of an unknown submission is rejected", async () => {
    await expect(domain.report({ type: "started", submission: "unknown" })).rejects.toThrow("no result");
    expect(domain.seen.refused).toEqual(["started"]);
  });

  it("may belong to a regrade, whose next job is queued when it ends", async () => {
    await domain.set({ state: "graded" });
    const asked: string[] = [];
    const regrade = async (_: unknown, { type }: { type: string }) => asked.push(type) > 0;
    for (const report of everyType) await domain.report(report, regrade);
    expect(asked).toEqual(everyType.map(({ type }) => type));
    expect(domain.seen.dispatched).toEqual(["all"]);
    expect(domain.seen.refused).toEqual([]);
    expect(domain.seen.logged).toEqual([]);
  });

  it("of the current attempt is not offered to a regrade", async () => {
    await domain.report({ type: "started" }, async () => expect.unreachable());
  });
});
