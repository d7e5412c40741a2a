import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADA, BOB, type Domain, failed, graded, INTENT, openDomain } from "../../../test/support/domain.ts";
import { updateBoards } from "./update-boards.ts";
import { writeFailure, writeGrade } from "./write-outcome.ts";

const { id } = INTENT;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
});
afterEach(() => domain.close());

const finish = (outcome: ReturnType<typeof graded>, submission = id) =>
  domain.report({ type: "finished", outcome, submission });
/** Submits and grades with this score. */
async function grade(name: string, score: number, { by = ADA, outcome = {}, ...more }: Grading = {}) {
  await domain.submit({ id: name, ...more }, by);
  return finish(graded(score, outcome), name);
}
type Grading = { by?: typeof ADA; outcome?: object; dry_run?: boolean; function?: string };
const end = async (name = id) => (await domain.events(name)).at(-1)!;
const board = async (name = "current") =>
  (
    await domain.db
      .selectFrom("standings")
      .selectAll()
      .where("board", "=", name as "current")
      .orderBy("sort_primary")
      .execute()
  ).map(({ submission }) => submission);
const finals = async () =>
  (await domain.db.selectFrom("board_rounds").select("finals").executeTakeFirst())?.finals;
const finalScores = () =>
  domain.db.selectFrom("final_scores").select(["submission", "final_score"]).orderBy("submission").execute();
const graded2 = (score: number, more: object = {}) =>
  graded(score, more) as Extract<ReturnType<typeof graded>, { ok: true }>;
const file = { key: "submissions/sums/x/media", name: "plot.png", size: 1, sha256: "0", type: "image/png" };

describe("a grade", () => {
  it("stores what the evaluator returned, and charges the slot", async () => {
    const outcome = { message: "good", data: { rows: 3 }, meta: { n: 1 }, artifacts: [file] };
    const row = await grade(id, 0.5, { outcome: { ...outcome, score_secondary: 2 } });
    expect(row).toMatchObject({
      ...{ state: "graded", score: 0.5, score_secondary: 2, sort_primary: -0.5, grading_message: "good" },
      ...{ data: '{"rows":3}', meta: '{"n":1}', artifacts: JSON.stringify([file]), evaluator_version: "v1" },
      ...{ finished_at: domain.at(), deadline_at: null, media_dropped: null, seq: 4 },
    });
    expect(await domain.slot()).toEqual({ state: "charged", reason: "graded", settled_at: domain.at() });
    expect((await grade("submission-2", 1, { outcome: { data: undefined } })).data).toBeNull();
  });

  it("says how its participant moved on the board", async () => {
    await grade("of-bob-1", 2, { by: BOB });
    const first = await grade(id, 1);
    expect(first).toMatchObject({ rank: 2, rank_before: null, best: 1 });
    expect((await end()).data).toEqual({
      ...{ score: 1, score_secondary: null, rank: 2, rank_before: null, best: true },
    });
    expect(await grade("submission-2", 3)).toMatchObject({ rank: 1, rank_before: 2, best: 1 });
    expect(await grade("submission-3", 2.5)).toMatchObject({ rank: 1, rank_before: 1, best: 0 });
    expect(await board()).toEqual(["submission-2", "of-bob-1"]);
    expect(await board("ongoing")).toEqual(["submission-2", "of-bob-1"]);
  });

  it("with a secondary score is ahead of an equal one that is worse in it", async () => {
    domain.serve({ score_secondary: { order: "ascending", precision: 3 } });
    const secondary = (score_secondary: number) => ({ outcome: { score_secondary } });
    await grade(id, 1, secondary(4));
    expect(await grade("of-bob-1", 1, { by: BOB, ...secondary(5) })).toMatchObject({ rank: 2 });
    expect(await grade("of-bob-2", 1, { by: BOB, ...secondary(3) })).toMatchObject({
      rank: 1,
      rank_before: 2,
    });
  });

  it("of a dry run shows neither its result nor its media, and has no place", async () => {
    const outcome = { message: "secret", data: { a: 1 }, artifacts: [file], media: file, media_dropped: "x" };
    const row = await grade(id, 5, { dry_run: true, outcome: { ...outcome, score_final: 7 } });
    expect(row).toMatchObject({
      ...{ state: "graded", score: null, score_secondary: null, grading_message: "The dry run passed." },
      ...{ data: null, artifacts: "[]", media_dropped: null, sort_primary: null, sort_secondary: null },
      ...{ rank: null, best: null, meta: "{}" },
    });
    expect((await end()).data).toEqual({ score: null, score_secondary: null });
    expect(await domain.slot()).toBeUndefined();
    expect(await board()).toEqual([]);
    expect(await finalScores()).toEqual([]);
    expect(await domain.db.selectFrom("media_work").selectAll().execute()).toEqual([]);
  });

  it.each([false, true])(
    "of another function is shown, and has no place; as a dry run: %s",
    async (dry_run) => {
      domain.serve({ evaluator: { command: ["true"], functions: ["submit", "evaluate"] } });
      const row = await grade(id, 5, { function: "evaluate", dry_run, outcome: { message: "good" } });
      expect(row).toMatchObject({ score: 5, grading_message: "good", sort_primary: null, rank: null });
      expect(await board()).toEqual([]);
      expect(await domain.slot()).toBeUndefined();
    },
  );

  it("has its media made afterwards, if there are any", async () => {
    await grade(id, 1);
    expect(await domain.db.selectFrom("media_work").selectAll().execute()).toEqual([]);
    await grade("submission-2", 1, { outcome: { media: file } });
    const [work] = await domain.db.selectFrom("media_work").selectAll().execute();
    expect(work).toMatchObject({ submission: "submission-2", attempt: 1, source: JSON.stringify(file) });
  });

  it.each([false, true])(
    "shows the media that a job factory stored itself, unless it is a dry run: %s",
    async (dry_run) => {
      domain.serve({ evaluator: { job_factory: { redis: "redis://localhost", namespace: "sums" } } });
      const media = {
        media_large: "large.png",
        media_thumbnail: "small.png",
        media_content_type: "image/png",
      };
      const row = await grade(id, 1, { dry_run, outcome: { data: media } });
      expect(row.media_large).toBe(dry_run ? null : "large.png");
    },
  );

  it("of an evaluator in a folder cannot name objects as its media", async () => {
    const media = { media_large: "large.png", media_thumbnail: "small.png", media_content_type: "image/png" };
    expect((await grade(id, 1, { outcome: { data: media } })).media_large).toBeNull();
  });

  it("is numbered after the events that come with it", async () => {
    await domain.submit();
    const row = await domain.row();
    const { config } = domain.services.catalog.get("sums");
    const now = domain.services.clock();
    const lead = [{ type: "log" as const, data: { message: "before" } }];
    const events = await domain.services.records.transaction((trx) =>
      writeGrade(trx, config, row, graded2(1), now, lead),
    );
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([
      [3, "log"],
      [4, "graded"],
    ]);
    expect((await domain.row()).seq).toBe(4);
  });

  it("that replaces an earlier one moves its participant down as well as up", async () => {
    await grade("of-bob-1", 2, { by: BOB });
    await grade(id, 3);
    const regrade = async (score: number, change: object) => {
      await domain.set(change);
      const row = await domain.row();
      const { config } = domain.services.catalog.get("sums");
      const now = domain.services.clock();
      await domain.services.records.transaction((trx) => writeGrade(trx, config, row, graded2(score), now));
      return domain.row();
    };
    expect(await regrade(1, {})).toMatchObject({ rank: 2, rank_before: 1, best: 1, score: 1 });
    // An external grader opens it again before it grades.
    expect(await regrade(0.5, { state: "submitted", outside_status: "submitted" })).toMatchObject({
      rank: 2,
    });
    const [worst] = (await domain.db
      .selectFrom("standings")
      .selectAll()
      .where("submission", "=", id)
      .execute())!;
    expect(worst!.sort_primary).toBe(-0.5);
    // A baseline leaves the board.
    expect(await regrade(9, { state: "grading", outside_status: null, baseline: 1 })).toMatchObject({
      ...{ rank: null, rank_before: null, best: 0, score: 9 },
    });
    expect(await board()).toEqual(["of-bob-1"]);
  });

  it("after the round's end counts on the ongoing boards only", async () => {
    await grade(id, 1);
    await domain.submit({ id: "late-one" });
    await domain.set({ post_challenge: 1 }, "late-one");
    const row = await finish(graded(4), "late-one");
    expect(row).toMatchObject({ rank: 1, best: 1 });
    expect([await board(), await board("ongoing")]).toEqual([[id], ["late-one"]]);
  });

  it("moves the boards of the window boundary only if it arrived before", async () => {
    await grade(id, 1);
    expect(await board("previous")).toEqual([]);
    await domain.db
      .updateTable("board_rounds")
      .set({ border: domain.at(1000) })
      .execute();
    await grade("submission-2", 2);
    domain.pass(1000);
    await grade("submission-3", 3);
    domain.pass(1);
    await grade("submission-4", 4);
    await domain.submit({ id: "of-bob-1" }, BOB);
    await domain.set({ created_at: domain.at(-1) }, "of-bob-1");
    // Behind ada now; alone with her earlier one, it would have been first.
    expect(await finish(graded(3.5), "of-bob-1")).toMatchObject({ rank: 2 });
    await domain.set({ state: "cancelled" }, "of-bob-1");
    await domain.services.records.transaction(async (trx) => updateBoards(trx, await domain.row("of-bob-1")));
    expect(await board("previous")).toEqual(["submission-3"]);
    expect(await board("previous_ongoing")).toEqual(["submission-3"]);
    expect(await board("current")).toEqual(["submission-4"]);
  });

  it("of a disqualified participant has no place, until they are reinstated", async () => {
    const decide = (participant_id: number, challenge: string, decision: "disqualified" | "reinstated") =>
      domain.db
        .insertInto("disqualifications")
        .values({ participant_id, challenge, decision, reason: "cheated", at: domain.at() })
        .execute();
    // A submission that was there before the decision.
    await domain.submit({ id: "of-ada-1" });
    await domain.submit({ id: "of-bob-1" }, BOB);
    await decide(BOB.id, "sums", "disqualified");
    expect(await finish(graded(5), "of-bob-1")).toMatchObject({ state: "graded", rank: null, best: 0 });
    expect(await board()).toEqual([]);
    await decide(ADA.id, "another", "disqualified");
    expect(await finish(graded(1), "of-ada-1")).toMatchObject({ rank: 1, best: 1 });
    await decide(BOB.id, "sums", "reinstated");
    expect(await grade("of-bob-2", 4, { by: BOB })).toMatchObject({ rank: 1 });
  });
});

describe("a final score", () => {
  const final = (score_final: number) => ({ outcome: { score_final } });
  const standing = async () =>
    (await domain.db.selectFrom("standings").selectAll().where("board", "=", "final").execute()).map(
      ({ submission, sort_primary }) => [submission, sort_primary],
    );

  it("starts the final board of the round, which considers some of each participant's submissions", async () => {
    await grade("submission-0", 9);
    expect([await finals(), await finalScores()]).toEqual([0, []]);
    await grade(id, 1, final(7));
    expect(await finals()).toBe(2);
    expect(await finalScores()).toEqual([{ submission: id, final_score: 7 }]);
    expect(await standing()).toEqual([[id, -7]]);
    await grade("submission-2", 2, final(8));
    expect(await standing()).toEqual([["submission-2", -8]]);
  });

  it("of a participant's best counts in it, and a grade without one is considered too", async () => {
    domain.serve({ final: { select: 1 } });
    await grade(id, 1, final(7));
    expect(await finals()).toBe(1);
    await grade("submission-2", 2);
    expect((await standing())[0]).toEqual(["submission-2", Number.MAX_VALUE]);
  });

  it("after the round's end is stored, and starts no final board", async () => {
    await domain.submit();
    await domain.set({ post_challenge: 1 });
    await finish(graded(1, { score_final: 7 }));
    expect([await finals(), await standing()]).toEqual([0, []]);
    expect(await finalScores()).toEqual([{ submission: id, final_score: 7 }]);
    const { config } = domain.services.catalog.get("sums");
    const row = await domain.row();
    const now = domain.services.clock();
    await domain.services.records.transaction((trx) => writeGrade(trx, config, row, graded2(1), now));
    expect(await finalScores()).toEqual([]);
  });

  it("after the round's end moves no final board either", async () => {
    await grade(id, 1, final(7));
    await domain.submit({ id: "late-one" });
    await domain.set({ post_challenge: 1 }, "late-one");
    await finish(graded(3, { score_final: 9 }), "late-one");
    expect(await standing()).toEqual([[id, -7]]);
    await domain.services.records.transaction(async (trx) =>
      updateBoards(trx, { ...(await domain.row("late-one")), round: "1" }),
    );
    expect(await standing()).toEqual([[id, -7]]);
  });

  it("is what the final board begins with: a selection alone does not make one", async () => {
    await grade(id, 1);
    const selected = { challenge: "sums", round: "1", participant_id: ADA.id, submission: id };
    await domain.db
      .insertInto("final_selections")
      .values({ ...selected, selected_at: domain.at() })
      .execute();
    await domain.services.records.transaction(async (trx) => updateBoards(trx, await domain.row()));
    expect(await standing()).toEqual([]);
  });

  it("of a baseline starts no final board", async () => {
    await domain.submit();
    await domain.set({ baseline: 1 });
    await finish(graded(1, { score_final: 7 }));
    expect(await finals()).toBe(0);
  });

  it("leaves the final board with the grade that it belongs to", async () => {
    await grade(id, 1, final(7));
    await grade("submission-2", 2, final(8));
    await domain.set({ state: "failed" }, "submission-2");
    const moved = await domain.services.records.transaction(async (trx) =>
      updateBoards(trx, await domain.row("submission-2")),
    );
    expect(moved).toEqual({ place: { rank: 1, rank_before: 1, best: false }, finals: 2 });
    expect(await domain.row("submission-2")).toMatchObject({ rank: 1, rank_before: 1, best: 0 });
    expect(await standing()).toEqual([[id, -7]]);
  });
});

describe("a failure", () => {
  const charging = [
    ...["rejected", "code_crashed", "code_timeout", "code_cpu", "code_memory", "code_output"],
    ...["output_missing", "output_invalid", "agent_protocol", "agent_timeout", "session_abandoned"],
    "round_not_open",
  ];
  const returning = [
    ...["evaluator_crashed", "evaluator_timeout", "gave_up", "deadline_passed", "upload_abandoned"],
    ...["build_failed", "sample_failed", "check_failed", "a_code_of_a_newer_grader"],
  ];
  it.each([...charging.map((code) => [code, "charged"]), ...returning.map((code) => [code, "returned"])])(
    "with %s leaves the slot %s",
    async (code, state) => {
      await domain.submit();
      const row = await finish(failed(code!));
      expect(row).toMatchObject({
        ...{ state: "failed", error_code: code, error_message: `It is ${code}.`, evaluator_version: "v1" },
        ...{ finished_at: domain.at(), deadline_at: null, seq: 4, data: null, artifacts: null },
      });
      expect(await domain.slot()).toEqual({ state, reason: code, settled_at: domain.at() });
      expect(await end()).toMatchObject({ seq: 4, type: "failed", data: { code, slot: state } });
    },
  );

  it.each([
    ["rejected", false, "returned"],
    ["evaluator_crashed", true, "charged"],
    ["rejected", null, "charged"],
  ])(
    "with %s leaves the slot to a grader that says whether it is charged: %s",
    async (code, charge, state) => {
      await domain.submit();
      await finish(failed(code, { charge }));
      expect(await domain.slot()).toMatchObject({ state });
    },
  );

  it.each([
    ["rejected", "you"],
    ["evaluator_crashed", "challenge"],
    ["gave_up", "platform"],
    ["a_code_of_a_newer_grader", "platform"],
  ])("with %s says whose fault it is: %s", async (code, fault) => {
    await domain.submit();
    await finish(failed(code));
    expect((await end()).data).toMatchObject({ code, fault, message: `It is ${code}.` });
  });

  it("keeps its files and the problems that a check found", async () => {
    await domain.submit();
    const data = { problems: [], total: 3 };
    expect(await finish(failed("rejected", { data, artifacts: [file] }))).toMatchObject({
      ...{ data: JSON.stringify(data), artifacts: JSON.stringify([file]) },
    });
    await domain.submit({ id: "submission-2" });
    expect((await finish(failed("rejected", { data: null }), "submission-2")).data).toBeNull();
  });

  it("settles a slot only once", async () => {
    await domain.submit();
    await finish(failed("rejected"));
    const slot = await domain.slot();
    domain.pass(1000);
    const row = await domain.row();
    const again = { code: "gave_up" as const, message: "" };
    await domain.services.records.transaction((trx) =>
      writeFailure(trx, row, again, domain.services.clock()),
    );
    expect(await domain.slot()).toEqual(slot);
  });

  it("settles no other slot", async () => {
    await domain.submit();
    await domain.submit({ id: "submission-2" });
    await finish(failed("rejected"));
    expect(await domain.slot("submission-2")).toMatchObject({ state: "reserved" });
  });
});

describe("a cancelled submission", () => {
  const cancel = async (change: object, charge?: boolean) => {
    await domain.submit();
    await domain.set(change);
    const row = await domain.row();
    const cancelled = { code: "cancelled" as const, message: "no", charge };
    const lead = [{ type: "log" as const, data: { message: "before" } }];
    await domain.services.records.transaction((trx) =>
      writeFailure(trx, row, cancelled, domain.services.clock(), lead),
    );
    expect(await domain.row()).toMatchObject({ state: "cancelled", error_code: "cancelled", seq: 4 });
    expect(await end()).toMatchObject({ type: "cancelled", seq: 4 });
    return (await domain.slot())?.state;
  };
  it.each([
    ["returned", "that waits", {}, undefined],
    ["charged", "in grading", { state: "grading" }, undefined],
    ["charged", "at an external grader, which cannot be stopped", { outside_status: "submitted" }, undefined],
    ["returned", "whose agent has seen nothing", { state: "grading" }, false],
  ] as const)("has its slot %s: one %s", async (state, _, change, charge) => {
    expect(await cancel(change, charge)).toBe(state);
  });
});
