import type { Outcome } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ADA,
  BOB,
  DAY,
  type Domain,
  failed,
  graded,
  INTENT,
  openDomain,
} from "../../../test/support/domain.ts";
import { regradesOf } from "../../../test/support/regrades.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { cancelRegrade } from "./cancel-regrade.ts";
import { swapGrades } from "./swap-grades.ts";

const { id } = INTENT;
const TWO = "submission-2";
let domain: Domain;
let regrades: ReturnType<typeof regradesOf>;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  regrades = regradesOf(domain);
});
afterEach(() => domain.close());

const file = (name: string) => ({ key: `k/${name}`, name, size: 1, sha256: "0", type: "image/png" });
const swap = async () => swapGrades(domain.services, await regrades.regrade());
/** Re-grades all submissions, with these outcomes of their second attempts. */
async function regrade(outcomes: Record<string, Outcome>, columns: Partial<SubmissionRow> = {}) {
  await domain.set(columns);
  await regrades.start();
  domain.pass(1000);
  for (const [submission, outcome] of Object.entries(outcomes))
    await regrades.finish(outcome, { submission });
  await regrades.sweep();
  return domain.row();
}
const board = async () =>
  (
    await domain.db
      .selectFrom("standings")
      .select(["submission", "sort_primary"])
      .where("board", "=", "current")
      .orderBy("sort_primary")
      .execute()
  ).map(({ submission, sort_primary }) => [submission, sort_primary]);
const finals = () =>
  domain.db.selectFrom("final_scores").select(["submission", "final_score", "sort_final"]).execute();

describe("the swap of a regrade", () => {
  it("replaces a grade by the new one, whose attempt counts", async () => {
    await regrades.grade(id, 1);
    const before = await domain.row();
    const events = await domain.events();
    const more = { message: "good", data: { n: 1 }, meta: { m: 2 }, artifacts: [file("a.png")] };
    const after = await regrade({
      [id]: graded(2, { ...more, score_secondary: 3, evaluator_version: "v2" }),
    });
    expect(after).toEqual({
      ...before,
      ...{ score: 2, score_secondary: 3, sort_primary: -2, grading_message: "good", data: '{"n":1}' },
      ...{ meta: '{"m":2}', artifacts: JSON.stringify([file("a.png")]), evaluator_version: "v2" },
      ...{ attempt: 2, regraded_at: domain.at(), score_before: 1, rank: 1, rank_before: 1, best: 1 },
    });
    expect(await domain.attempts()).toMatchObject([{ accepted: 0 }, { accepted: 1 }]);
    expect(await domain.slot()).toMatchObject({ state: "charged", settled_at: before.finished_at });
    expect(await domain.events()).toEqual(events);
    expect(await regrades.regrade()).toMatchObject({ state: "done", finished_at: domain.at() });
    expect(domain.seen.locked).toContain("challenge:sums");
    expect(domain.seen.logged).toMatchObject([
      { event: "regrade_completed", challenge: "sums", submissions: 1 },
    ]);
  });

  it("replaces a grade by a failure, with what it has to show", async () => {
    await regrades.end(id, graded(1, { message: "good", data: { n: 1 }, score_final: 1 }));
    await regrades.grade(TWO, 0.5);
    const data = { problems: ["row 1"], total: 1 };
    const rejected = failed("rejected", { evaluator_version: "v2", artifacts: [file("b.png")], data });
    expect(await regrade({ [id]: rejected, [TWO]: graded(0.5) })).toMatchObject({
      ...{ state: "failed", score: null, score_secondary: null, sort_primary: null, sort_secondary: null },
      ...{ grading_message: null, data: JSON.stringify(data), meta: null, rank: null, rank_before: null },
      ...{ best: null, artifacts: JSON.stringify([file("b.png")]), evaluator_version: "v2" },
      ...{ error_code: "rejected", error_message: "It is rejected.", attempt: 2, score_before: 1 },
    });
    expect(await finals()).toEqual([]);
    expect(await board()).toEqual([[TWO, -0.5]]);
    expect(await domain.row(TWO)).toMatchObject({ rank: 1, rank_before: 1, best: 1 });
  });

  it("drops what a grade showed when a failure has nothing to show", async () => {
    await regrades.end(id, graded(1, { data: { n: 1 }, artifacts: [file("a.png")] }));
    expect(await regrade({ [id]: failed("rejected") })).toMatchObject({ data: null, artifacts: null });
  });

  it.each([
    ["a grade", graded(2), "graded"],
    ["a verdict on the submission", failed("rejected"), "rejected"],
  ])("replaces a failure of the evaluator by %s, and charges the slot", async (_, outcome, reason) => {
    await regrades.end(id, failed("evaluator_crashed"));
    await regrades.grade(TWO, 1, { by: BOB });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
    const settled = await domain.slot(TWO);
    const after = await regrade({ [id]: outcome, [TWO]: failed("rejected") });
    expect(after).toMatchObject({ score_before: null, error_code: outcome.ok ? null : "rejected" });
    if (outcome.ok)
      expect(after).toMatchObject({ error_message: null, score: 2, rank: 1, rank_before: null, best: 1 });
    expect(await domain.slot()).toEqual({ state: "charged", reason, settled_at: domain.at() });
    expect(await domain.slot(TWO)).toEqual(settled);
  });

  it("keeps a grade when the evaluator failed", async () => {
    await regrades.grade();
    const before = await domain.row();
    expect(await regrade({ [id]: failed("evaluator_crashed") })).toEqual(before);
    expect(await domain.attempts()).toMatchObject([{ accepted: 1 }, { accepted: 0 }]);
    expect(domain.seen.logged.at(-1)).toMatchObject({ event: "regrade_completed", submissions: 0 });
  });

  it("ranks all participants again, by the old and the new board", async () => {
    await regrades.grade(id, 2);
    await regrades.grade("submission-3", 1);
    await regrades.grade(TWO, 1, { by: BOB });
    await regrade({ [id]: graded(1), "submission-3": graded(2), [TWO]: graded(3) });
    expect(await board()).toEqual([
      [TWO, -3],
      ["submission-3", -2],
    ]);
    expect(await domain.row(TWO)).toMatchObject({ rank: 1, rank_before: 2, best: 1 });
    expect(await domain.row()).toMatchObject({ rank: 2, rank_before: 1, best: 0 });
    expect(await domain.row("submission-3")).toMatchObject({ rank: 2, rank_before: 1, best: 1 });
  });

  it("ranks a late submission on the board of all, and only there", async () => {
    await regrades.grade(id, 2);
    await regrades.grade(TWO, 1, { by: BOB });
    await regrade({ [id]: graded(3), [TWO]: graded(2) }, { post_challenge: 1 });
    expect(await board()).toEqual([[TWO, -2]]);
    expect(await domain.row()).toMatchObject({ rank: 1, best: 1 });
    expect(await domain.row(TWO)).toMatchObject({ rank: 1, best: 1 });
  });

  it("gives a baseline no rank, also when its participant has one", async () => {
    await regrades.grade(TWO, 1);
    await regrades.grade(id, 2);
    await regrade(
      { [TWO]: graded(1), [id]: graded(3) },
      { baseline: 1, rank: null, rank_before: null, best: 0 },
    );
    expect(await domain.row()).toMatchObject({ score: 3, rank: null, rank_before: null, best: 0 });
    expect(await domain.row(TWO)).toMatchObject({ rank: 1, best: 1 });
  });

  it("takes no disqualified participant back to the board", async () => {
    await regrades.grade(id, 2);
    await domain.db
      .insertInto("disqualifications")
      .values({ participant_id: ADA.id, challenge: null, decision: "disqualified", reason: "", at: "" })
      .execute();
    expect(await regrade({ [id]: graded(3) })).toMatchObject({ score: 3, rank: null, best: 0 });
    expect(await board()).toEqual([]);
  });

  it("replaces final scores, and removes those that a new grade has not", async () => {
    for (const name of [id, TWO]) await regrades.end(name, graded(1, { score_final: 1 }));
    await regrade({ [id]: graded(1, { score_final: 5 }), [TWO]: graded(1) });
    expect(await finals()).toEqual([{ submission: id, final_score: 5, sort_final: -5 }]);
  });

  it("rounds and orders all scores as the newest version does, also those that are kept", async () => {
    await regrades.end(id, graded(1.26, { score_secondary: 2, score_final: 1.26 }));
    await regrades.grade(TWO, 2.34, { by: BOB });
    domain.serve({ evaluator: { command: ["true"], functions: ["submit", "help"] } });
    await regrades.grade("submission-3", 7, { dry_run: true });
    await regrades.grade("submission-4", 7, { function: "help" });
    const score_secondary = { order: "descending", precision: 1 };
    domain.serve({ score: { order: "ascending", precision: 1 }, score_secondary });
    await regrade({ [id]: failed("evaluator_crashed"), [TWO]: graded(1.25) });
    expect(await board()).toEqual([
      [id, 1.3],
      [TWO, 1.3],
    ]);
    expect(await domain.row()).toMatchObject({ score: 1.26, sort_primary: 1.3, sort_secondary: -2 });
    expect(await finals()).toMatchObject([{ sort_final: 1.3 }]);
    for (const name of ["submission-3", "submission-4"])
      expect(await domain.row(name)).toMatchObject({ sort_primary: null });
  });

  it.each([
    ["primary", { sort_primary: -7 }],
    ["secondary", { sort_secondary: 7 }],
  ])("corrects a %s sort key alone", async (_, columns) => {
    await regrades.grade(id, 1);
    expect(await regrade({ [id]: failed("evaluator_crashed") }, columns)).toMatchObject({
      ...{ sort_primary: -1, sort_secondary: 0 },
    });
  });

  it.each([
    ["a new grade", graded(2, { artifacts: [file("a.png")] }), ["k/a.png", "old"]],
    ["a grade with a log", graded(2, { artifacts: [file("steps.ndjson.gz")] }), ["k/steps.ndjson.gz"]],
    ["a failure", failed("agent_protocol"), ["old"]],
  ])("keeps the step log of a session, to step it again: %s", async (_, outcome, keys) => {
    await regrades.end(
      id,
      graded(1, { artifacts: [{ ...file("steps.ndjson.gz"), key: "old" }, file("b.png")] }),
    );
    domain.serve({ environment: { gym: "env.py:make" } });
    const { artifacts } = await regrade({ [id]: outcome });
    expect(JSON.parse(artifacts!).map(({ key }: { key: string }) => key)).toEqual(keys);
  });

  it("keeps no file of an old grade outside environments", async () => {
    await regrades.end(id, graded(1, { artifacts: [file("steps.ndjson.gz")] }));
    expect((await regrade({ [id]: graded(2) })).artifacts).toBe("[]");
  });

  it("queues the new media, and has the old removed", async () => {
    const large = `image/large-${"0".repeat(32)}.png`;
    await regrades.grade();
    await regrades.grade(TWO);
    const media = { media_large: large, media_thumbnail: "thumb", media_content_type: "image/png" };
    await domain.set(media, TWO);
    const outcomes = { [id]: graded(2, { media: file("plot.png") }), [TWO]: failed("rejected") };
    expect(await regrade(outcomes, media)).toMatchObject({ media_large: null, media_content_type: null });
    expect(
      await domain.db.selectFrom("media_work").selectAll().orderBy("submission").execute(),
    ).toMatchObject([
      { submission: id, attempt: 2, source: JSON.stringify(file("plot.png")), replaces: `["${large}"]` },
      { submission: TWO, attempt: 2, source: null, replaces: `["${large}"]`, due_at: domain.at() },
    ]);
  });

  it("shows the media that a job factory stored itself", async () => {
    domain.serve({ evaluator: { job_factory: { redis: "redis://localhost", namespace: "sums" } } });
    const media = (name: string) => ({
      media_large: `${name}-large`,
      media_thumbnail: `${name}-small`,
      media_content_type: "image/png",
    });
    await regrades.end(id, graded(1, { data: media("old") }));
    expect(await regrade({ [id]: graded(2, { data: media("new") }) })).toMatchObject(media("new"));
  });

  it("queues the changes for an external webapp", async () => {
    await regrades.grade();
    await regrades.grade(TWO);
    const rows = [id, TWO].map((submission) => ({
      ...{
        submission,
        participant_id: ADA.id,
        challenge: "sums",
        created_at: "",
        news: 1,
        told: 1,
        tries: 0,
      },
    }));
    await domain.db.insertInto("webapp_submissions").values(rows).execute();
    await regrade({ [id]: graded(2), [TWO]: failed("evaluator_crashed") });
    expect(
      await domain.db.selectFrom("webapp_submissions").select("news").orderBy("submission").execute(),
    ).toEqual([{ news: 2 }, { news: 1 }]);
  });

  it("includes submissions first that were graded with an older version meanwhile", async () => {
    await regrades.grade();
    await regrades.start();
    await regrades.setRegrade({ version: "v1" });
    domain.pass(5000);
    await domain.submit({ id: TWO });
    await domain.report({
      ...{ type: "finished", submission: TWO, outcome: graded(5, { evaluator_version: "v0" }) },
    });
    await regrades.finish(graded(2));
    await regrades.sweep();
    expect(await regrades.status()).toMatchObject({ state: "running", submissions: 2, done: 1 });
    expect(await domain.row()).toMatchObject({ score: 1 });
    expect(domain.seen.logged).toEqual([]);
    await regrades.finish(graded(6), { submission: TWO });
    await regrades.sweep();
    expect(await domain.row()).toMatchObject({ score: 2 });
    expect(await domain.row(TWO)).toMatchObject({ score: 6, score_before: 5 });
  });

  it("compares with the version that is served while it knows none, for want of attempts", async () => {
    await domain.submit();
    await domain.submit({ id: TWO });
    await regrades.start();
    await regrades.end(id, graded(1, { evaluator_version: "v0" }));
    await domain.report({
      type: "finished",
      submission: TWO,
      outcome: graded(5, { evaluator_version: "v1" }),
    });
    await regrades.sweep();
    expect(await regrades.regrade()).toMatchObject({ version: null, state: "running" });
    expect(await regrades.items()).toMatchObject([{ submission: id, state: "waiting" }]);
  });

  describe("waits for a submission whose job has an older version,", () => {
    const publish = (submission = id, published_at = domain.at()) =>
      domain.db
        .updateTable("attempts")
        .set({ published_at })
        .where("submission", "=", submission)
        .where("number", "=", 1)
        .execute();
    const stateAfter = async (columns: Partial<SubmissionRow>) => {
      await domain.set(columns);
      await regrades.sweep();
      return (await regrades.regrade()).state;
    };

    it("in the queue or in grading, and grades it again", async () => {
      await regrades.grade(TWO, 2);
      await domain.submit();
      await publish();
      await regrades.start();
      await regrades.setRegrade({ version: "v1" });
      await regrades.finish(graded(3), { submission: TWO });
      domain.pass(DAY);
      expect(await stateAfter({})).toBe("running");
      expect(await regrades.status()).toMatchObject({ submissions: 1, done: 1, awaited: 1 });
      await domain.report({ type: "started" });
      expect(await stateAfter({})).toBe("running");
      expect(await domain.row(TWO)).toMatchObject({ score: 2 });
      await domain.report({ type: "finished", outcome: graded(1, { evaluator_version: "v0" }) });
      expect(await stateAfter({})).toBe("running");
      await regrades.finish(graded(4));
      expect(await stateAfter({})).toBe("done");
      expect(await regrades.status()).toMatchObject({ submissions: 2, done: 2, awaited: 0 });
      expect(await domain.row()).toMatchObject({ score: 4, score_before: 1 });
      expect(await domain.row(TWO)).toMatchObject({ score: 3, score_before: 2 });
    });

    it("which a broker published that had not seen the new one yet", async () => {
      await regrades.start();
      domain.pass(10_000);
      await domain.submit();
      await publish();
      expect(await stateAfter({})).toBe("running");
      await domain.report({ type: "finished", outcome: graded(1, { evaluator_version: "v1" }) });
      expect(await stateAfter({})).toBe("done");
    });

    it.each<[string, Partial<SubmissionRow>]>([
      ["a trial", { dry_run: 1 }],
      ["a call of another function", { function: "learn" }],
      ["what an external grader grades", { outside_status: "initiated" }],
      ["another challenge's", { challenge: "others" }],
      ["a file that is not there yet", { state: "initiated" }],
    ])("but not for %s", async (_what, columns) => {
      await domain.submit();
      await publish();
      await regrades.start();
      expect(await regrades.status()).toMatchObject({ awaited: 1 });
      expect(await stateAfter(columns)).toBe("done");
    });

    it("until it is cancelled", async () => {
      await domain.submit();
      await publish();
      await regrades.start();
      expect(await regrades.status()).toMatchObject({ awaited: 1 });
      await cancelRegrade(domain.records, "sums", new Date(domain.now()));
      expect(await regrades.status()).toMatchObject({ state: "cancelled", awaited: 0 });
    });

    it("but not for one that was published later", async () => {
      await domain.submit();
      await regrades.start();
      await publish(id, domain.at(10_001));
      expect(await stateAfter({})).toBe("done");
    });

    it("but not for one that arrived later", async () => {
      await regrades.start();
      domain.pass(10_001);
      await domain.submit();
      await publish(id, domain.at(-1));
      expect(await stateAfter({})).toBe("done");
    });
  });

  it("is left to a broker that serves the challenge", async () => {
    await regrades.grade();
    await regrades.start();
    await regrades.finish(graded(2));
    domain.challenges.clear();
    await swap();
    expect(await regrades.regrade()).toMatchObject({ state: "running" });
  });

  it("does nothing when another broker swapped or cancelled, or an attempt was added, meanwhile", async () => {
    await regrades.grade();
    await regrades.start();
    await swap();
    expect(await domain.row()).toMatchObject({ score: 1, regraded_at: null });
    await regrades.finish(graded(2));
    await cancelRegrade(domain.records, "sums", new Date(domain.now()));
    await swap();
    expect(await regrades.regrade()).toMatchObject({ state: "cancelled" });
    expect(domain.seen.logged).toEqual([]);
  });

  it("writes only its own results", async () => {
    await regrades.grade();
    await regrades.grade(TWO, 2);
    await regrade({ [id]: graded(3), [TWO]: failed("evaluator_crashed") });
    await regrade({});
    expect(await regrades.regrade()).toMatchObject({ id: 2, state: "running" });
    await regrades.finish(failed("evaluator_crashed"), { attempt: 3 });
    await regrades.finish(graded(9), { attempt: 3, submission: TWO });
    await regrades.sweep();
    expect(await domain.row()).toMatchObject({ score: 3, attempt: 2 });
    expect(await domain.row(TWO)).toMatchObject({ score: 9, attempt: 3, score_before: 2 });
  });
});
