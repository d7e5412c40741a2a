import type { Leaderboard } from "@crowdai/shared";
import { createFolderStore } from "@crowdai/shared/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { untilEnd } from "../support/test-broker.ts";
import { ADMIN, startWebapp, type WebappStage } from "./webapp-api-client.ts";

let test: WebappStage;
beforeAll(async () => {
  test = await startWebapp();
});
afterAll(() => test.close());

const created = async (query: Record<string, string> = {}) => (await test.create(query)).body.submission_id;
const info = async (id: number) =>
  JSON.parse((await test.ask("GET", `/api/external_graders/${id}/submission_info`)).body.body as string);
const board = async () =>
  ((await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard).rows;

describe("updating a submission", () => {
  it.each(["PATCH", "PUT"])("by %s answers 202 with its integer id", async (method) => {
    const id = await created();
    const { status, body } = await test.ask(method, `/api/external_graders/${id}`);
    expect([status, body]).toEqual([
      202,
      {
        message: `Submission ${id} updated`,
        submission_id: id,
        submissions_remaining: null,
        reset_dttm: null,
        reset_date: null,
      },
    ]);
  });

  it("is allowed for the admin and organizers of its challenge", async () => {
    const id = await created();
    const grade = { grading_status: "graded", score: "1" };
    const { status, body } = await test.update(id, grade, { key: test.stranger });
    expect([status, body]).toEqual([401, { message: "HTTP Token: Access denied." }]);
    expect(await test.read(id)).toMatchObject({ grading_status_cd: "submitted", score: null });
    expect((await test.update(id, grade, { key: test.organizer })).status).toBe(202);
  });

  it.each([
    ["99999", "Couldn't find Submission with 'id'=99999", "99999"],
    ["0", "Couldn't find Submission with 'id'=0", "0"],
    ["-5", "Couldn't find Submission with 'id'=-5", "-5"],
    ["12abc", "Couldn't find Submission with 'id'=12abc", "12abc"],
    ["1e3", "Couldn't find Submission with 'id'=1e3", "1e3"],
    ["2147483648", "Couldn't find Submission with an out of range value for 'id'", "2147483648"],
    ["-2147483649", "Couldn't find Submission with an out of range value for 'id'", "-2147483649"],
    [
      "99999999999999999999",
      "Couldn't find Submission with an out of range value for 'id'",
      "99999999999999999999",
    ],
    ["%27%20OR%201%3D1", "Couldn't find Submission with 'id'=' OR 1=1", "' OR 1=1"],
  ])("refuses the unknown submission %s", async (id, message, echoed) => {
    const { status, body } = await test.update(id, { grading_status: "graded", score: "1" });
    expect([status, body]).toEqual([
      400,
      { message, submission_id: echoed, submissions_remaining: null, reset_dttm: null, reset_date: null },
    ]);
  });

  it("ignores calls and dry runs", async () => {
    const ada = await test.connect();
    const { submission } = await ada.submit({ dry_run: true, input: { kind: "inline", data: { score: 1 } } });
    expect((await test.update(submission.number)).status).toBe(400);
    expect((await test.ask("GET", `/api/submissions/${submission.number}`)).status).toBe(404);
  });

  it("replaces every part of the grade", async () => {
    const id = await created();
    await test.update(id, {
      grading_status: "graded",
      score: "1",
      score_secondary: "2",
      grading_message: "good",
    });
    expect(await info(id)).toMatchObject({ score: 1, score_secondary: 2, grading_message: "good" });
    await test.update(id, { grading_status: "graded", score: "3" });
    expect(await info(id)).toMatchObject({ score: 3, score_secondary: null, grading_message: null });
    for (const status of ["submitted", "initiated", "failed"]) {
      await test.update(id, { grading_status: "graded", score: "1", score_secondary: "2" });
      await test.update(id, { grading_status: status, grading_message: "why" });
      expect(await info(id)).toMatchObject({
        grading_status_cd: status,
        score: null,
        score_secondary: null,
        grading_message: "why",
      });
    }
  });

  const statuses = ["submitted", "initiated", "graded", "failed"];
  it.each(statuses.flatMap((from) => statuses.map((to) => [from, to])))(
    "goes from %s to %s",
    async (from, to) => {
      const grade = { score: "0.5", grading_message: "m" };
      const id = await created({ grading_status: from, ...grade });
      expect((await test.update(id, { grading_status: to, ...grade })).status).toBe(202);
      expect(await test.read(id)).toMatchObject({
        grading_status_cd: to,
        score: to === "graded" ? 0.5 : null,
      });
    },
  );

  it.each([
    [
      "an unknown status",
      { grading_status: "ready" },
      "Grading status must be one of (graded|failed|initiated)",
    ],
    [
      "a failure without a reason",
      { grading_status: "failed" },
      "Grading message must be provided if grading = failed",
    ],
    ["a grade without a score", { grading_status: "graded" }, "score must be a finite number"],
    [
      "a score that no double holds",
      { grading_status: "graded", score: "9007199254740993" },
      "score is an integer beyond 2^53, which a score cannot hold exactly",
    ],
    ["an invalid score", { grading_status: "graded", score: "NaN" }, "score must be a finite number"],
    [
      "some of the media",
      { media_large: "a" },
      "Either all or none of media_large, media_thumbnail and media_content_type must be provided.",
    ],
    [
      "media that do not exist",
      { media_large: "a.png", media_thumbnail: "a.png", media_content_type: "image/png" },
      "The specified key does not exist.",
    ],
    [
      "media that are an address",
      {
        media_large: "https://x.org/a.png",
        media_thumbnail: "https://x.org/a.png",
        media_content_type: "image/png",
      },
      "The specified key does not exist.",
    ],
    [
      "media that are the broker's own",
      { media_large: "instance.json", media_thumbnail: "instance.json", media_content_type: "image/png" },
      "The specified key does not exist.",
    ],
  ] as [string, Record<string, string>, string][])(
    "is refused with %s, and changes nothing",
    async (_, query, message) => {
      const id = await created({
        grading_status: "graded",
        score: "0.5",
        meta: '{"a":1}',
        description_markdown: "before",
      });
      const { status, body } = await test.update(id, {
        description_markdown: "after",
        meta: '{"b":2}',
        grading_status: "graded",
        ...(query.media_large ? { score: "1" } : {}),
        ...query,
      });
      expect([status, body]).toEqual([
        400,
        { message, submission_id: id, submissions_remaining: null, reset_dttm: null, reset_date: null },
      ]);
      expect(await test.read(id)).toMatchObject({
        score: 0.5,
        meta: { a: 1 },
        description_markdown: "before",
      });
    },
  );

  it("links media whose objects exist", async () => {
    const store = await createFolderStore({
      folder: `${test.folder}/data/objects`,
      baseUrl: () => "",
      secret: "x",
    });
    await store.put("challenge_1/a.mp4", Buffer.from("x"));
    await store.close();
    const media = {
      media_large: "challenge_1/a.mp4",
      media_thumbnail: "challenge_1/a.mp4",
      media_content_type: "video/mp4",
    };
    const id = await created();
    expect((await test.update(id, media)).status).toBe(202);
    expect((await info(id)).media_content_type).toBe("video/mp4");
  });

  it("replaces the description, but not with an empty one", async () => {
    const id = await created({ description_markdown: "one" });
    await test.update(id, { description_markdown: "  " });
    expect((await test.read(id)).description_markdown).toBe("one");
    await test.update(id, { description_markdown: "two" });
    expect((await test.read(id)).description_markdown).toBe("two");
  });

  it("ignores the participant, challenge, round and post-challenge flag", async () => {
    const id = await created();
    const before = await test.read(id);
    const { status } = await test.update(id, {
      api_key: await test.addParticipant("eve"),
      challenge_client_name: "other",
      challenge_round_id: "1",
      post_challenge: "true",
    });
    expect(status).toBe(202);
    expect(await test.read(id)).toEqual(before);
    expect((await info(id)).post_challenge).toBe(false);
  });
});

describe("meta on update", () => {
  it.each([
    ["nothing", {}, '{"a":1}', {}, { a: 1 }],
    ["nothing, by a text that is none", {}, "{oops", {}, {}],
    ["other names", { meta: '{"a":1}' }, '{"b":2}', {}, { a: 1, b: 2 }],
    ["the same name: what is sent wins", { meta: '{"a":1,"c":3}' }, '{"a":2}', {}, { a: 2, c: 3 }],
    ["an empty one", { meta: "{}" }, '{"a":2}', {}, { a: 2 }],
    ["other names, with overwrite", { meta: '{"a":1}' }, '{"b":2}', { meta_overwrite: "True" }, { b: 2 }],
    [
      "other names, with overwrite=False",
      { meta: '{"a":1}' },
      '{"b":2}',
      { meta_overwrite: "False" },
      { b: 2 },
    ],
    [
      "other names, with a blank overwrite",
      { meta: '{"a":1}' },
      '{"b":2}',
      { meta_overwrite: " " },
      { a: 1, b: 2 },
    ],
    ["a list", { meta: "[1]" }, '{"b":2}', {}, { b: 2 }],
    ["anything, by a list", { meta: '{"a":1}' }, "[2]", {}, [2]],
    ["anything, by nothing", { meta: '{"a":1}' }, "", {}, { a: 1 }],
  ] as [string, Record<string, string>, string, Record<string, string>, unknown][])(
    "over %s",
    async (_, stored, sent, more, kept) => {
      const id = await created(stored);
      expect((await test.update(id, { meta: sent, ...more })).status).toBe(202);
      expect((await test.read(id)).meta).toEqual(kept);
    },
  );

  it.each([
    ["a form", { query: { meta: '{"id":1460323737035677698,"loss":NaN}' } }],
    ["a body", { type: "application/json", body: '{"meta":{"id":1460323737035677698,"loss":NaN}}' }],
  ])("keeps every digit and costs no grade by a NaN, in %s", async (_, sent) => {
    const id = await created({ meta: '{"old":9007199254740993}' });
    const query = { grading_status: "graded", score: "0.5", ...("query" in sent ? sent.query : {}) };
    expect((await test.update(id, query, sent)).status).toBe(202);
    const answer = await fetch(`${test.broker.url}/api/submissions/${id}`, {
      headers: { authorization: `Token token=${ADMIN}` },
    });
    const text = await answer.text();
    for (const part of ['"old":9007199254740993', '"id":1460323737035677698', '"loss":null', '"score":0.5'])
      expect(text).toContain(part);
  });

  it("stays when only the grade changes", async () => {
    const id = await created({ "meta[a]": "1" });
    for (const status of ["graded", "failed", "submitted"])
      await test.update(id, { grading_status: status, score: "1", grading_message: "m" });
    expect((await test.read(id)).meta).toEqual({ a: "1" });
  });
});

describe("effects of an update", () => {
  it("moves the leaderboard in both directions", async () => {
    const key = await test.addParticipant("mover");
    const mine = async () => (await board()).filter(({ participant }) => participant === "mover");
    const best = await created({ api_key: key, grading_status: "graded", score: "50" });
    const other = await created({ api_key: key, grading_status: "graded", score: "40" });
    expect(await mine()).toMatchObject([{ rank: 1, score: 50, entries: 2 }]);
    await test.update(best, { grading_status: "failed", grading_message: "cheated" });
    expect(await mine()).toMatchObject([{ score: 40 }]);
    await test.update(other, { grading_status: "submitted" });
    expect(await mine()).toEqual([]);
    await test.update(best, { grading_status: "graded", score: "60" });
    expect(await mine()).toMatchObject([{ rank: 1, score: 60 }]);
  });

  it("reaches clients that watch the submission, as numbered events", async () => {
    const id = await created();
    const { id: own } = await test.records.db
      .selectFrom("submissions")
      .select("id")
      .where("number", "=", id)
      .executeTakeFirstOrThrow();
    const ada = await test.connect();
    const seen = untilEnd(ada, own);
    await test.update(id, { grading_status: "initiated" });
    await test.update(id, { grading_status: "graded", score: "0.1" });
    expect((await seen).map(({ seq, type }) => [seq, type])).toEqual([
      [1, "submitted"],
      [2, "log"],
      [3, "graded"],
    ]);
  });

  it("removes the broker's own submission from the queue, and late reports do not change it", async () => {
    const ada = await test.connect();
    const { submission } = await ada.submit({ input: { kind: "inline", data: { score: 1 } } });
    await test.update(submission.number, { grading_status: "submitted" });
    expect(await test.read(submission.number)).toMatchObject({ grading_status_cd: "submitted" });
    const attempts = () =>
      test.records.db.selectFrom("attempts").selectAll().where("submission", "=", submission.id).execute();
    expect(await attempts()).toMatchObject([{ state: "waiting" }]);
    await test.update(submission.number, { grading_status: "graded", score: "0.25" });
    expect(await attempts()).toMatchObject([{ state: "lost", accepted: 0 }]);
    const read = await (await test.fetch(`/api/v1/submissions/${submission.id}`)).json();
    expect(read).toMatchObject({ state: "graded", score: 0.25, slot: "charged", place: null });
  });

  it("shows a participant no queue position for a submission of an external grader", async () => {
    const id = await created();
    const { submissions } = (await (await test.fetch("/api/v1/submissions")).json()) as {
      submissions: { number: number }[];
    };
    expect(submissions.find(({ number }) => number === id)).toMatchObject({
      state: "submitted",
      place: null,
      waiting: null,
      slot: "reserved",
    });
  });

  it("leaves what its participant cancelled cancelled, and the slot used", async () => {
    const ada = await test.connect();
    const id = await created();
    const row = () =>
      test.records.db
        .selectFrom("submissions")
        .selectAll()
        .where("number", "=", id)
        .executeTakeFirstOrThrow();
    expect(await ada.ask("cancel", { id: (await row()).id })).toMatchObject({
      state: "cancelled",
      slot: "charged",
    });
    const { status, body } = await test.update(id, { grading_status: "graded", score: "1" });
    expect([status, body.message]).toEqual([400, "The submission was cancelled by its participant."]);
    expect(await test.read(id)).toMatchObject({ grading_status_cd: "failed", score: null });
  });
});
