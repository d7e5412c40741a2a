import type { Leaderboard } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { startWebapp, type WebappStage } from "./webapp-api-client.ts";

const NO_SLOTS = "The participant has no submission slots remaining for today.";
const PARALLEL =
  "You have exceeded the allowed number of parallel submissions. Please wait until your other submission(s) are graded.";
const NOT_QUALIFIED =
  "You have not qualified for this round. Please review the challenge rules at www.crowdai.org";
const HOUR = 3_600_000;
const START = Date.parse("2026-03-01T12:00:00.000Z");

let test: WebappStage;
let now = START;
const start = async (config: Record<string, unknown>, more: Record<string, unknown>[] = []) => {
  now = START;
  test = await startWebapp({ clock: () => new Date(now), challenges: [config, ...more] });
};
afterEach(() => test?.close());

const graded = (score: number) => ({ grading_status: "graded", score: String(score) });
const failed = { grading_status: "failed", grading_message: "row 3" };
const said = async (query: Record<string, string> = {}) => {
  const { status, body } = await test.create(query);
  return [status, body.message, body.submissions_remaining, body.reset_dttm];
};

describe("slots", () => {
  it("of a day come back one by one, 24 hours after each", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 2, per: "day" } }] });
    expect(await said(graded(1))).toEqual([202, "Participant ada scored", 1, "2026-03-02 12:00:00 UTC"]);
    now += HOUR;
    expect(await said(failed)).toEqual([202, "Participant ada scored", 0, "2026-03-02 12:00:00 UTC"]);
    expect(await said()).toEqual([400, NO_SLOTS, 0, "2026-03-02 12:00:00 UTC"]);
    now += 23 * HOUR;
    expect(await said()).toEqual([202, "Participant ada scored", 0, "2026-03-02 13:00:00 UTC"]);
  });

  it("of a week come back after 7 days", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 1, per: "week" } }] });
    expect(await said()).toEqual([202, "Participant ada scored", 0, "2026-03-08 12:00:00 UTC"]);
    now += 7 * 24 * HOUR - 1;
    expect((await said())[1]).toBe(NO_SLOTS);
    now += 1;
    expect((await said())[0]).toBe(202);
  });

  it("of a round do not come back", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 1, per: "round" } }] });
    expect(await said()).toEqual([202, "Participant ada scored", 0, null]);
    now += 1000 * HOUR;
    expect(await said()).toEqual([400, NO_SLOTS, 0, null]);
  });

  it("are the same ones that the broker's own clients use", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 2, per: "day" } }] });
    const ada = await test.connect();
    await ada.submit({ input: { kind: "inline", data: { score: 1 } } });
    expect((await said())[2]).toBe(0);
    await expect(ada.submit({ input: { kind: "inline", data: { score: 1 } } })).rejects.toMatchObject({
      code: "no_slots",
    });
  });

  it("are reported by an update with their values before it", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 3, per: "day" } }] });
    const { body } = await test.create();
    expect((await test.update(body.submission_id, graded(1))).body).toMatchObject({
      submissions_remaining: 2,
      reset_date: "2026-03-02 12:00:00 UTC",
      reset_dttm: "2026-03-02 12:00:00 UTC",
    });
    expect((await test.update(body.submission_id, { grading_status: "x" })).body).toMatchObject({
      submissions_remaining: 2,
      reset_date: "2026-03-02 12:00:00 UTC",
    });
  });

  it("let one of forty calls at once have the last one", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 1, per: "day" } }] });
    const answers = await Promise.all(Array.from({ length: 40 }, () => test.create(graded(1))));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status === 400).map(({ body }) => body.message))).toEqual(
      new Set([NO_SLOTS]),
    );
    expect(await test.count()).toBe(1);
  });

  it("stand behind a lost race between calls and the broker's own clients", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 3, per: "day" } }] });
    const ada = await test.connect();
    const tries = await Promise.allSettled([
      ...Array.from({ length: 10 }, async () => {
        if ((await test.create()).status !== 202) throw new Error("refused");
      }),
      ...Array.from({ length: 10 }, () => ada.submit({ input: { kind: "inline", data: { score: 1 } } })),
    ]);
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(await test.count()).toBe(3);
  });
});

describe("the parallel limit", () => {
  it("counts what waits, in every round, whatever the call itself says; what has begun frees its place", async () => {
    await start({ rounds: [{ id: "1", parallel_limit: 1 }] });
    const first = (await test.create()).body.submission_id;
    for (const query of [{}, graded(1), failed])
      expect(await said(query)).toEqual([400, PARALLEL, null, null]);
    await test.update(first, { grading_status: "initiated" });
    expect((await said(graded(1)))[0]).toBe(202);
    await test.update(first, { grading_status: "submitted" });
    expect((await said())[1]).toBe(PARALLEL);
    await test.update(first, failed);
    expect((await said())[0]).toBe(202);
  });

  it("is looked at before the slots, and holds for calls at once", async () => {
    await start({ rounds: [{ id: "1", parallel_limit: 1, limit: { count: 1, per: "day" } }] });
    const answers = await Promise.all(Array.from({ length: 10 }, () => test.create()));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.message === PARALLEL)).toHaveLength(9);
  });
});

describe("qualification", () => {
  it.each([
    ["descending", 0.8, 0.79],
    ["ascending", 0.2, 0.21],
  ])("asks for the previous round's score in %s order; equality passes", async (order, good, bad) => {
    await start({
      score: { order, precision: 2 },
      rounds: [
        { id: "1", ends_at: "2026-04-01T00:00:00Z" },
        { id: "2", starts_at: "2026-04-01T00:00:00Z", minimum_score: good, limit: { count: 1, per: "day" } },
      ],
    });
    const bob = { api_key: await test.addParticipant("bob") };
    const eve = { api_key: await test.addParticipant("eve") };
    await test.create(graded(good));
    await test.create({ ...bob, ...graded(bad) });
    now = Date.parse("2026-04-02T00:00:00Z");
    expect(await said(bob)).toEqual([400, NOT_QUALIFIED, null, null]);
    expect(await said(eve)).toEqual([400, NOT_QUALIFIED, null, null]);
    expect((await said())[0]).toBe(202);
    // The slots come after: who is not qualified is not told of them.
    expect((await said())[1]).toBe(NO_SLOTS);
  });
});

describe("after the end of the round", () => {
  const ended = { rounds: [{ id: "1", ends_at: "2026-03-01T13:00:00Z", limit: { count: 2, per: "day" } }] };
  const stored = (id: number) =>
    test.records.db.selectFrom("submissions").selectAll().where("number", "=", id).executeTakeFirstOrThrow();
  const boardOf = async (query = "") =>
    ((await (await test.fetch(`/api/v1/challenges/test/leaderboard?${query}`)).json()) as Leaderboard).rows;

  it("a submission is kept as failed and answered as any other, its status, score and message unread", async () => {
    await start(ended);
    now = Date.parse("2026-03-01T13:00:00.001Z");
    const { status, body } = await test.create({ grading_status: "nonsense", score: "NaN" });
    expect([status, body]).toMatchObject([
      202,
      { message: "Participant ada scored", submissions_remaining: 1 },
    ]);
    expect(await stored(body.submission_id)).toMatchObject({
      state: "failed",
      post_challenge: 1,
      error_code: "round_not_open",
      error_message: "Submission made after end of round.",
      score: null,
    });
    expect((await test.create(graded(1))).status).toBe(202);
    expect((await test.create(graded(1))).body.message).toBe(NO_SLOTS);
    expect(await boardOf("ongoing=true")).toEqual([]);
  });

  it("the very moment of the end is not after it", async () => {
    await start(ended);
    now = Date.parse("2026-03-01T13:00:00Z");
    const { body } = await test.create(graded(1));
    expect(await stored(body.submission_id)).toMatchObject({ state: "graded", post_challenge: 0 });
  });

  it("media must be whole all the same", async () => {
    await start(ended);
    now += 2 * HOUR;
    expect((await test.create({ media_large: "x" })).status).toBe(400);
    expect(await test.count()).toBe(0);
  });

  it("it counts on the ongoing board where the challenge takes it", async () => {
    await start({ ...ended, after_end: "accept" });
    now += 2 * HOUR;
    const { body } = await test.create(graded(1));
    expect(await stored(body.submission_id)).toMatchObject({ state: "graded", post_challenge: 1 });
    expect(await boardOf()).toEqual([]);
    expect(await boardOf("ongoing=true")).toMatchObject([{ participant: "ada", score: 1 }]);
  });

  it("an update may grade it, and keeps the flag", async () => {
    await start(ended);
    now += 2 * HOUR;
    const { body } = await test.create(graded(1));
    await test.update(body.submission_id, graded(2));
    expect(await stored(body.submission_id)).toMatchObject({
      state: "graded",
      post_challenge: 1,
      error_code: null,
    });
    expect(await boardOf()).toEqual([]);
    expect(await boardOf("ongoing=true")).toMatchObject([{ score: 2 }]);
  });

  it.each([
    ["true", "failed", 1, 0],
    ["false", "graded", 0, 2 * HOUR],
    ["True", "graded", 0, 0],
    ["1", "failed", 1, 2 * HOUR],
  ])("post_challenge=%s makes it %s", async (sent, state, flag, later) => {
    await start(ended);
    now += later;
    const { body } = await test.create({ ...graded(1), post_challenge: sent });
    expect(await stored(body.submission_id)).toMatchObject({ state, post_challenge: flag });
  });

  it("a JSON boolean is ignored", async () => {
    await start(ended);
    const { body } = await test.create(graded(1), { body: { post_challenge: true } });
    expect(await stored(body.submission_id)).toMatchObject({ state: "graded", post_challenge: 0 });
  });
});

describe("a private challenge", () => {
  it("requires an invitation, here and for the broker's own clients", async () => {
    await start({ visibility: { private: true } });
    const message = "The challenge is private, and the participant has not been invited.";
    expect(await said()).toEqual([400, message, null, null]);
    const mine = async () => (await test.connect()).submit({ input: { kind: "inline", data: { score: 1 } } });
    await expect(mine()).rejects.toMatchObject({ code: "challenge_unknown" });
    await test.records.db
      .insertInto("invitations")
      .values({ challenge: "test", participant_id: 1, created_at: new Date(now).toISOString() })
      .execute();
    expect((await said())[0]).toBe(202);
    await mine();
  });
});

describe("a submission that waits for an external grader", () => {
  it("survives a restart, never enters our queue, and expires after a month with the slot returned", async () => {
    await start({ rounds: [{ id: "1", limit: { count: 1, per: "round" } }] });
    const id = (await test.create({ grading_status: "initiated" })).body.submission_id;
    await test.restart();
    expect((await test.read(id)).grading_status_cd).toBe("initiated");
    expect(await test.records.db.selectFrom("attempts").selectAll().execute()).toEqual([]);
    now += 31 * 24 * HOUR;
    await expect
      .poll(async () => (await test.read(id)).grading_status_cd, { timeout: 15_000 })
      .toBe("failed");
    const slot = await test.records.db.selectFrom("slots").selectAll().executeTakeFirstOrThrow();
    expect(slot).toMatchObject({ state: "returned", reason: "deadline_passed" });
  });
});
