import { afterEach, describe, expect, it } from "vitest";
import { addOrganizer, addParticipant, revokeKeys } from "../../src/participants/keys.ts";
import { listParticipants } from "../../src/participants/list.ts";
import { type TestClient, untilEnd } from "../fixture.ts";
import { createVisitor } from "../pages/visitor.ts";
import { until } from "../until.ts";
import { type RemoteStage, startRemote, type Way } from "./stage.ts";

const value = (data: unknown) => ({ kind: "inline" as const, data });
const now = () => new Date().toISOString();
const FAILING: [string, Way][] = [
  ["cuts every connection", "cut"],
  ["answers 500", { status: 500, body: '{"message":"server error"}', type: "application/json" }],
  ["answers 502 in HTML", { status: 502, body: "<h1>Bad gateway</h1>" }],
  ["answers 200 in HTML", { status: 200, body: "<h1>Down for maintenance</h1>" }],
  ["sends elsewhere", { status: 302, body: "" }],
  ["refuses the broker's key", { status: 401, body: "HTTP Token: Access denied.\n", type: "text/plain" }],
];

let test: RemoteStage;
afterEach(() => test?.close());
const start = async (options: Parameters<typeof startRemote>[0] = {}) => {
  test = await startRemote(options);
  const key = await test.webapp.addParticipant("grace");
  return { key, client: await test.broker.connect({ key }) };
};
const graded = async (client: TestClient, score = 1) => {
  const { submission } = await client.submit({ input: value({ score }) });
  expect((await untilEnd(client, submission.id)).at(-1)).toMatchObject({ type: "graded", data: { score } });
  return submission.id;
};
const rows = () => test.broker.records.db.selectFrom("webapp_submissions").selectAll().execute();
const told = () => until(async () => (await rows()).every(({ told: done, news }) => done === news));
const atWebapp = async () =>
  (await test.webapp.records.db.selectFrom("submissions").selectAll().orderBy("number").execute()).map(
    ({ state, score }) => [state, score],
  );

describe("while the webapp", () => {
  it.each(FAILING)("%s, submitting goes on, and it is told everything afterwards, once", async (_, way) => {
    const { client } = await start({ times: { freshMs: 60_000 } });
    test.between.way = () => way;
    await graded(client, 0.25);
    await graded(client, 0.5);
    expect(await atWebapp()).toEqual([]);
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toEqual([
      ["graded", 0.25],
      ["graded", 0.5],
    ]);
  });

  it("is silent, a grade is not held up for longer than its patience, and later ones not at all", async () => {
    const { client } = await start({
      times: { freshMs: 60_000, patienceMs: 300, callMs: 300, awayMs: 60_000 },
    });
    test.between.way = () => "silence";
    await graded(client);
    const before = test.between.seen.filter((request) => request.startsWith("POST")).length;
    await graded(client);
    // What waits asks no more; the outbox alone tries on.
    expect(before).toBeGreaterThanOrEqual(1);
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toHaveLength(2);
  });

  it("loses its answers, nothing is opened or graded twice", async () => {
    const { client } = await start({ times: { freshMs: 60_000 } });
    test.between.way = (method) => (method === "GET" ? "through" : "answer lost");
    await graded(client, 0.75);
    await until(async () => (await atWebapp())[0]?.[0] === "graded");
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toEqual([["graded", 0.75]]);
  });

  it("does not list its submissions, a lost answer may open one twice, of which one is graded", async () => {
    const { client } = await start({ times: { freshMs: 60_000 } });
    let lost = 0;
    test.between.way = (method, path) => {
      // As the original, which has no such route.
      if (path.startsWith("/api/submissions?")) return { status: 404, body: "<h1>Not found</h1>" };
      return method === "POST" && lost++ === 0 ? "answer lost" : "through";
    };
    await graded(client, 0.75);
    await told();
    expect((await atWebapp()).map(([state]) => state).sort()).toEqual(["graded", "submitted"]);
  });
});

describe("an organiser's key as the broker's", () => {
  it("is enough for everything but to find what a lost answer opened", async () => {
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

describe("what was cancelled before the webapp heard of it", () => {
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
  it("knows no admin's key while the webapp is elsewhere: the key is the webapp's", async () => {
    await start();
    const answer = await test.broker.fetch("/api/challenges", { key: "admin-key-of-this-broker" });
    expect(answer.status).toBe(401);
  });
});

describe("a grade", () => {
  it("reaches the webapp although the broker was restarted before it was told, by a key that no record shows", async () => {
    const { client, key } = await start({ times: { freshMs: 60_000 } });
    test.between.way = () => "cut";
    await graded(client);
    const [waiting] = await rows();
    expect(waiting?.sealed_key).toBeTruthy();
    expect(JSON.stringify(waiting)).not.toContain(key);
    await test.broker.restart();
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toEqual([["graded", 1]]);
    expect(await rows()).toMatchObject([{ sealed_key: null }]);
  });

  it("that a later outcome replaces is told again", async () => {
    const { client } = await start();
    const id = await graded(client, 0.5);
    await told();
    const { db } = test.broker.records;
    await db.updateTable("submissions").set({ score: 0.75 }).where("id", "=", id).execute();
    const { noteNews } = await import("../../src/webapp/news.ts");
    await noteNews(db, [id]);
    await told();
    expect(await atWebapp()).toEqual([["graded", 0.75]]);
  });

  it("stands although the webapp refuses its media, and carries the meta", async () => {
    const { client } = await start();
    test.between.way = (method) => (method === "PATCH" ? "cut" : "through");
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
    test.between.way = () => "through";
    await told();
    expect(await rows()).toMatchObject([{ note: "The specified key does not exist." }]);
    const [row] = await test.webapp.records.db.selectFrom("submissions").selectAll().execute();
    expect(row).toMatchObject({ state: "graded", media_large: null });
    expect(JSON.parse(row?.meta as string)).toEqual({ public: { folds: 5 }, crowdai_submission: id });
  });

  it("of a submission that was deleted at the webapp is let go, and noted", async () => {
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

  it("that come late end what is not graded yet, and give its slot back", async () => {
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

  it("that come late leave a grade that was shown", async () => {
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

  it("are not asked for what the broker's own rules refuse", async () => {
    const { client } = await start({ own: [{ id: "1", limit: { count: 1, per: "day" } }] });
    await graded(client);
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({ code: "no_slots" });
    expect(await atWebapp()).toHaveLength(1);
  });
});

describe("what the webapp took and the broker did not register", () => {
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

describe("keys", () => {
  it("that the webapp confirmed work on while it is away, after a restart too; others do not", async () => {
    const { client, key } = await start({ times: { freshMs: 1, staleMs: 60_000 } });
    const stranger = await test.webapp.addParticipant("eve");
    test.between.way = () => "cut";
    await graded(client);
    await test.broker.restart();
    await test.broker.connect({ key });
    await expect(test.broker.connect({ key: stranger })).rejects.toMatchObject({
      code: "webapp_away",
      fault: "platform",
    });
    await expect(test.broker.connect({ key: "0".repeat(32) })).rejects.toMatchObject({ code: "webapp_away" });
  });

  it("stop working when the webapp stays away", async () => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 200 } });
    test.between.way = () => "cut";
    await until(async () => (await test.broker.fetch("/api/v1/me", { key })).status === 503);
  });

  it.each(FAILING)("survive a webapp that %s, and one that answers 404 to everything", async (_, way) => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 60_000 } });
    for (const wrong of [
      way,
      { status: 404, body: '{"status":404,"error":"Not Found"}', type: "application/json" },
    ]) {
      test.between.way = () => wrong;
      expect((await test.broker.fetch("/api/v1/me", { key })).status).toBe(200);
    }
  });

  it("are asked about once while the answer is fresh, and by many at once", async () => {
    const { key } = await start({ times: { freshMs: 60_000 } });
    await Promise.all(Array.from({ length: 20 }, () => test.broker.fetch("/api/v1/me", { key })));
    expect(test.between.seen).toEqual([`GET /api/external_graders/${key}`]);
  });

  it("of 32 hex digits, as the original gives out, sign in", async () => {
    await start();
    const key = "0123456789abcdef0123456789abcdef";
    test.between.way = (_, path) =>
      path.endsWith(key)
        ? {
            status: 200,
            body: '{"message":"Developer API key is valid","participant_id":77}',
            type: "application/json",
          }
        : "through";
    expect(await (await test.broker.fetch("/api/v1/me", { key })).json()).toMatchObject({
      participant: { name: "participant-77" },
    });
  });

  it("that are no keys at all are not sent anywhere", async () => {
    await start();
    const before = test.between.seen.length;
    for (const key of ["../submissions", "1/submission_info", "challenge_config", "0".repeat(33)])
      expect((await test.broker.fetch("/api/v1/me", { key })).status).toBe(401);
    expect(test.between.seen).toHaveLength(before);
  });

  it("of organisers stay this broker's own", async () => {
    await start();
    const { addOrganizer } = await import("../../src/participants/keys.ts");
    const organizer = await addOrganizer(test.broker.records, "org", ["test"], now());
    const board = await test.broker.fetch("/api/v1/challenges/test/leaderboard", { key: organizer });
    expect(board.status).toBe(200);
    await revokeKeys(test.broker.records, "organizer", "org", now());
    expect((await test.broker.fetch("/api/v1/challenges/test/leaderboard", { key: organizer })).status).toBe(
      401,
    );
  });
});

describe("a session of the pages", () => {
  it("goes on after a restart, while the webapp is away too", async () => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 60_000 } });
    const visitor = createVisitor(test.broker);
    await visitor.signIn(key);
    await test.broker.restart();
    test.between.way = () => "cut";
    expect((await visitor.get("/submissions")).status).toBe(200);
  });

  it("is not begun while the webapp is away, and the form says why", async () => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 1 } });
    test.between.way = () => "cut";
    const answer = await createVisitor(test.broker).signIn(key);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("the webapp is away");
  });

  it("is for organisers of this broker as well, and for no participant whose key it gave out before", async () => {
    await start();
    const { records } = test.broker;
    const organizer = createVisitor(test.broker);
    expect((await organizer.signIn(await addOrganizer(records, "linus", ["test"], now()))).status).toBe(303);
    expect((await organizer.get("/submissions")).status).toBe(200);
    const before = createVisitor(test.broker);
    expect((await before.signIn(await addParticipant(records, "old", now()))).status).toBe(401);
    await organizer.get("/");
    await records.db.updateTable("api_keys").set({ owner: "participant" }).execute();
    expect((await organizer.get("/submissions")).status).toBe(401);
  });
});

describe("a participant", () => {
  it("has the webapp's name from the first submission on, unless somebody else has it", async () => {
    const { client, key } = await start();
    await graded(client);
    expect(await listParticipants(test.broker.records.db)).toMatchObject([
      { name: "ada" },
      { submissions: 1, active: true },
    ]);
    const me = async (as: string) =>
      (
        (await (await test.broker.fetch("/api/v1/me", { key: as })).json()) as {
          participant: { name: string };
        }
      ).participant.name;
    await until(async () => (await me(key)) === "grace");
    // The fixture's own participant here is named ada; the webapp has one of that name too.
    const other = await test.broker.connect({ key: test.webapp.key });
    await graded(other);
    expect(await me(test.webapp.key)).toBe("participant-1");
  });

  it("is the same one with a new key", async () => {
    const { client, key } = await start();
    const id = await graded(client);
    const { db } = test.webapp.records;
    const { createApiKey, hashApiKey } = await import("@crowdai/shared");
    const next = createApiKey();
    await db
      .updateTable("api_keys")
      .set({ hash: hashApiKey(next) })
      .where("owner_id", "=", 2)
      .where("owner", "=", "participant")
      .execute();
    await until(async () => (await test.broker.fetch("/api/v1/me", { key })).status === 401);
    expect((await test.broker.fetch(`/api/v1/submissions/${id}`, { key: next })).status).toBe(200);
  });
});
