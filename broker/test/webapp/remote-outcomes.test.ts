import { describe, expect, it } from "vitest";
import { untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { useRemote } from "./webapp-proxy.ts";

const value = (data: unknown) => ({ kind: "inline" as const, data });
const test = useRemote();
const { start, graded } = test;
const rows = () => test.broker.records.db.selectFrom("webapp_submissions").selectAll().execute();
const told = () => until(async () => (await rows()).every(({ told: done, news }) => done === news));
const atWebapp = async () =>
  (await test.webapp.records.db.selectFrom("submissions").selectAll().orderBy("number").execute()).map(
    ({ state, score }) => [state, score],
  );

describe("an organizer's key as the broker's", () => {
  it("suffices for everything except finding what a lost answer opened", async () => {
    const { client } = await start({ times: { freshMs: 60_000 }, token: (webapp) => webapp.organizer });
    await graded(client, 0.5);
    let lost = 0;
    test.between.way = (method) => (method === "POST" && lost++ === 0 ? "answer lost" : "through");
    await graded(client, 0.75);
    await told();
    expect((await atWebapp()).sort()).toEqual([
      ["graded", 0.5],
      ["graded", 0.75],
      ["submitted", null],
    ]);
  });
});

describe("a submission that was cancelled before the webapp received it", () => {
  it("is not opened there", async () => {
    const { client } = await start({ times: { freshMs: 60_000 } });
    test.between.way = () => "cut";
    const file = { kind: "file" as const, name: "a.csv", size: 3, sha256: "a".repeat(64) };
    const { submission } = await client.submit({ input: file });
    await client.ask("cancel", { id: submission.id });
    test.between.way = () => "through";
    await until(async () => (await rows())[0]?.outcome === "withdrawn");
    expect(await atWebapp()).toEqual([]);
  });
});

describe("the API that the broker itself serves", () => {
  it("rejects the admin's key while the webapp is elsewhere: the key is the webapp's", async () => {
    await start();
    const answer = await test.broker.fetch("/api/challenges", { key: "admin-key-of-this-broker" });
    expect(answer.status).toBe(401);
  });
});

describe("a grade", () => {
  it("that a later outcome replaces is sent again", async () => {
    const { client } = await start();
    const id = await graded(client, 0.5);
    await told();
    const { db } = test.broker.records;
    await db.updateTable("submissions").set({ score: 0.75 }).where("id", "=", id).execute();
    const { markWebappChanged } = await import("../../src/domain/webapp/webapp-updates.ts");
    await markWebappChanged(db, [id]);
    await told();
    expect(await atWebapp()).toEqual([["graded", 0.75]]);
  });

  it("counts although the webapp refuses its media, and includes the meta", async () => {
    const { client } = await start();
    let cuts = 0;
    test.between.way = (method) => {
      if (method !== "PATCH") return "through";
      cuts++;
      return "cut";
    };
    const id = await graded(client);
    await test.broker.records.db
      .updateTable("submissions")
      .set({
        media_large: "image/large",
        media_thumbnail: "image/thumb",
        media_content_type: "image/png",
        meta: '{"public":{"folds":5}}',
      })
      .where("id", "=", id)
      .execute();
    // A request that is on its way may still carry the grade without media: the second one from here does
    // not.
    const second = cuts + 2;
    await until(async () => cuts >= second);
    test.between.way = () => "through";
    await told();
    expect(await rows()).toMatchObject([{ note: "The specified key does not exist." }]);
    const [row] = await test.webapp.records.db.selectFrom("submissions").selectAll().execute();
    expect(row).toMatchObject({ state: "graded", media_large: null });
    expect(JSON.parse(row?.meta as string)).toEqual({ public: { folds: 5 }, crowdai_submission: id });
  });

  it("of a submission that was deleted at the webapp is dropped, and noted", async () => {
    const { client } = await start();
    test.between.way = (method) =>
      method === "PATCH"
        ? {
            status: 400,
            body: '{"message":"Couldn\'t find Submission with \'id\'=1","submission_id":"1"}',
            type: "application/json",
          }
        : "through";
    await graded(client);
    await told();
    expect(await rows()).toMatchObject([{ note: "Couldn't find Submission with 'id'=1" }]);
  });
});

describe("the webapp's refusals", () => {
  it.each([
    ["The participant has no submission slots remaining for today.", { limit: { count: 1, per: "day" } }],
    [
      "You have exceeded the allowed number of parallel submissions. Please wait until your other submission(s) are graded.",
      { parallel_limit: 1 },
    ],
    ["Submission made after end of round.", { ends_at: "2020-01-01T00:00:00Z" }],
    [
      "The challenge is not open for submissions at this time. Please check the challenge page at www.crowdai.org",
      { starts_at: "2100-01-01T00:00:00Z" },
    ],
  ])("reach the participant in its own words: %s", async (words, round) => {
    const { client, key } = await start({ rounds: [{ id: "1", ...round }] });
    if (!("ends_at" in round) && !("starts_at" in round))
      await test.webapp.create({ api_key: key, grading_status: "submitted" });
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "webapp_refused",
      fault: "you",
      message: words,
    });
    expect(await rows()).toEqual([]);
    expect(await test.broker.records.db.selectFrom("submissions").selectAll().execute()).toEqual([]);
  });

  it("that arrive late fail a submission without a grade, and return its slot", async () => {
    const { client, key } = await start({
      rounds: [{ id: "1", limit: { count: 1, per: "day" } }],
      times: { freshMs: 60_000 },
    });
    test.between.way = () => "cut";
    const file = { kind: "file" as const, name: "a.csv", size: 3, sha256: "a".repeat(64) };
    const { submission } = await client.submit({ input: file });
    const end = untilEnd(client, submission.id);
    await test.webapp.create({ api_key: key, grading_status: "submitted" });
    test.between.way = () => "through";
    expect((await end).at(-1)).toMatchObject({
      type: "failed",
      data: {
        code: "webapp_refused",
        message: "The participant has no submission slots remaining for today.",
        slot: "returned",
      },
    });
  });

  it("that arrive late leave a grade that was shown", async () => {
    const { client, key } = await start({
      rounds: [{ id: "1", limit: { count: 1, per: "day" } }],
      times: { freshMs: 60_000 },
    });
    test.between.way = () => "cut";
    const id = await graded(client);
    await test.webapp.create({ api_key: key, grading_status: "submitted" });
    test.between.way = () => "through";
    await until(async () => (await rows())[0]?.outcome === "refused");
    const seen = await test.broker.fetch(`/api/v1/submissions/${id}`, { key });
    expect(await seen.json()).toMatchObject({ state: "graded", score: 1 });
    expect(await rows()).toMatchObject([
      { note: "The participant has no submission slots remaining for today." },
    ]);
  });

  it("are not needed where the broker's own rules refuse", async () => {
    const { client } = await start({ own: [{ id: "1", limit: { count: 1, per: "day" } }] });
    await graded(client);
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({ code: "no_slots" });
    expect(await atWebapp()).toHaveLength(1);
  });
});

describe("a submission that the webapp accepted and the broker did not register", () => {
  it("is withdrawn there", async () => {
    await start();
    const made = await test.webapp.create();
    await test.broker.records.db
      .insertInto("webapp_submissions")
      .values({
        submission: "aaaaaaaaaaaaaaaa",
        participant_id: 1,
        challenge: "test",
        number: made.body.submission_id,
        sealed_key: null,
        created_at: new Date(Date.now() - 3_600_000).toISOString(),
        news: 1,
        told: 0,
        tries: 0,
        next_try_at: null,
        claimed_until: null,
        outcome: null,
        note: null,
      })
      .execute();
    await until(async () => (await rows())[0]?.outcome === "withdrawn");
    expect(await atWebapp()).toEqual([["failed", null]]);
  });
});
