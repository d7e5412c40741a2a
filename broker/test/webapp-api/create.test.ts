import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ADMIN, startWebapp, type WebappStage } from "./webapp-api-client.ts";

const STATUS_TEXT = "Grading status must be one of (graded|failed|initiated)";
const MEDIA_TEXT =
  "Either all or none of media_large, media_thumbnail and media_content_type must be provided.";
const NO_ROUND =
  "The challenge is not open for submissions at this time. Please check the challenge page at www.crowdai.org";

const DAY = 24 * 3_600_000;
let now = Date.parse("2026-03-01T12:00:00.500Z");
let test: WebappStage;
beforeAll(async () => {
  test = await startWebapp({
    clock: () => new Date(now),
    challenges: [
      { rounds: [{ id: "1", limit: { count: 5, per: "day" } }] },
      { id: "other" },
      { id: "later", rounds: [{ id: "1", starts_at: "2100-01-01T00:00:00Z" }] },
      {
        id: "two",
        rounds: [
          { id: "a", ends_at: "2026-02-01T00:00:00Z" },
          { id: "b", starts_at: "2026-02-01T00:00:00Z" },
          { id: "c", starts_at: "2100-01-01T00:00:00Z" },
        ],
      },
    ],
  });
});
afterAll(() => test.close());
beforeEach(() => {
  now += 2 * DAY;
});

const reset = () => `${new Date(now + DAY).toISOString().slice(0, 19).replace("T", " ")} UTC`;

describe("creating a submission", () => {
  it.each([
    ["submitted", {}, {}],
    ["initiated", {}, {}],
    ["graded", { score: "0.98", score_secondary: "0.99" }, { score: 0.98, score_secondary: 0.99 }],
    ["failed", { grading_message: "row 3" }, {}],
  ] as const)(
    "as %s answers 202 with an integer id and the slots left after it",
    async (status, sent, kept) => {
      const { status: code, body } = await test.create({ grading_status: status, ...sent });
      expect(code).toBe(202);
      expect(body).toEqual({
        message: "Participant ada scored",
        submission_id: expect.any(Number),
        submissions_remaining: 4,
        reset_dttm: reset(),
        reset_date: reset(),
      });
      expect(await test.read(body.submission_id)).toMatchObject({
        id: body.submission_id,
        challenge_name: "A test",
        participant_id: 1,
        participant_name: "ada",
        grading_status_cd: status,
        score: null,
        score_secondary: null,
        created_at: new Date(now).toISOString(),
        meta: null,
        description_markdown: null,
        submission_files: [],
        ...kept,
      });
    },
  );

  it("is allowed for the admin and organizers of the challenge", async () => {
    expect((await test.create({}, { key: test.organizer })).status).toBe(202);
    for (const name of ["other", "nothing", "", "TEST", " test"]) {
      const { status, body } = await test.create({ challenge_client_name: name }, { key: test.organizer });
      expect([name, status, body]).toEqual([name, 401, { message: "HTTP Token: Access denied." }]);
    }
    expect((await test.create({}, { key: test.stranger })).status).toBe(401);
  });

  const first = { submissions_remaining: null, reset_dttm: null, reset_date: null };
  const counted = { submissions_remaining: 5, reset_dttm: null, reset_date: null };
  it.each([
    ["no key", { api_key: "" }, "The API key did not match any participant record.", first],
    ["an unknown key", { api_key: "x" }, "The API key did not match any participant record.", first],
    [
      "an unknown challenge",
      { challenge_client_name: "tset" },
      "The Challenge Client Name string did not match any challenge.",
      first,
    ],
    [
      "an unknown challenge, and a round",
      { challenge_client_name: "", challenge_round_id: "1" },
      "The Challenge Client Name string did not match any challenge.",
      first,
    ],
    ["an unknown round", { challenge_round_id: "99" }, "This challenge_round_id does not exist", first],
    [
      "another challenge's round",
      { challenge_round_id: "2" },
      "This challenge_round_id does not exist",
      first,
    ],
    [
      "a round that is not a number",
      { challenge_round_id: "1x" },
      "This challenge_round_id does not exist",
      first,
    ],
    [
      "a round beyond 32 bits",
      { challenge_round_id: "4294967297" },
      "This challenge_round_id does not exist",
      first,
    ],
    ["a negative round", { challenge_round_id: "-1" }, "This challenge_round_id does not exist", first],
    ["no round yet", { challenge_client_name: "later" }, NO_ROUND, first],
    ["media without a type", { media_large: "a", media_thumbnail: "b" }, MEDIA_TEXT, counted],
    [
      "media without a large one",
      { media_thumbnail: "b", media_content_type: "image/png" },
      MEDIA_TEXT,
      counted,
    ],
    [
      "media without a thumbnail",
      { media_large: "a", media_content_type: "image/png", media_thumbnail: " " },
      MEDIA_TEXT,
      counted,
    ],
    ["no status", { grading_status: "" }, STATUS_TEXT, counted],
    ["ready", { grading_status: "ready" }, STATUS_TEXT, counted],
    ["another case", { grading_status: "Graded" }, STATUS_TEXT, counted],
    ["a property's name", { grading_status: "constructor" }, STATUS_TEXT, counted],
    [
      "a failure without a reason",
      { grading_status: "failed" },
      "Grading message must be provided if grading = failed",
      counted,
    ],
    [
      "a blank reason",
      { grading_status: "failed", grading_message: "  " },
      "Grading message must be provided if grading = failed",
      counted,
    ],
    ["a grade without a score", { grading_status: "graded" }, "score must be a finite number", counted],
    ...[
      "abc",
      "NaN",
      "Infinity",
      "-Infinity",
      "1e999",
      "0x10",
      "1,5",
      "0.98abc",
      "true",
      "1 2",
      "--1",
      ".",
    ].map(
      (score) =>
        [
          `the score ${score}`,
          { grading_status: "graded", score },
          "score must be a finite number",
          counted,
        ] as const,
    ),
    [
      "an invalid secondary score",
      { grading_status: "graded", score: "1", score_secondary: "NaN" },
      "score_secondary must be a finite number",
      counted,
    ],
    ["a null byte", { description_markdown: "a\0b" }, "string contains null byte", counted],
    [
      "a participant's predictions as media",
      {
        media_large: "submissions/test/x/input",
        media_thumbnail: "image/a.png",
        media_content_type: "image/png",
      },
      "The specified key does not exist.",
      counted,
    ],
  ] as [string, Record<string, string>, string, object][])(
    "is refused with %s, and leaves nothing behind",
    async (_, query, message, slots) => {
      const before = await test.count();
      const { status, body } = await test.create(query);
      expect([status, body]).toEqual([400, { message, submission_id: null, ...slots }]);
      expect(await test.count()).toBe(before);
      // No slot was used either.
      expect((await test.create()).body.submissions_remaining).toBe(4);
    },
  );

  it("reports the first of several reasons", async () => {
    const wrong: [Record<string, string>, string][] = [
      [{ api_key: "x" }, "The API key did not match any participant record."],
      [{ challenge_client_name: "x" }, "The Challenge Client Name string did not match any challenge."],
      [{ challenge_round_id: "x" }, "This challenge_round_id does not exist"],
      [{ media_large: "x" }, MEDIA_TEXT],
      [{ grading_status: "x" }, STATUS_TEXT],
    ];
    while (wrong.length > 0) {
      const { body } = await test.create(Object.assign({}, ...wrong.map(([query]) => query)));
      expect(body.message).toBe(wrong[0]?.[1]);
      wrong.shift();
    }
  });

  it("goes to the named round, past or future, or else to the open one", async () => {
    const { message } = (await test.ask("GET", "/api/challenges/two")).body as unknown as {
      message: { challenge_rounds: { id: number; challenge_round: string }[] };
    };
    const ids = message.challenge_rounds.map(({ id }) => id);
    for (const [sent, kept] of [
      [ids[0], ids[0]],
      [ids[1], ids[1]],
      [ids[2], ids[2]],
      ["", ids[1]],
    ]) {
      const { body } = await test.create({ challenge_client_name: "two", challenge_round_id: String(sent) });
      expect(await test.read(body.submission_id)).toMatchObject({ challenge_round_id: kept });
    }
  });

  it("reports no number of slots without a limit", async () => {
    const { body } = await test.create({ challenge_client_name: "other" });
    expect(body).toMatchObject({ submissions_remaining: null, reset_dttm: null, reset_date: null });
  });

  it.each([
    ["0.98", 0.98],
    ["1e-07", 1e-7],
    ["-5", -5],
    ["+.5", 0.5],
    [" 7. ", 7],
    ["-0", 0],
    ["1.7976931348623157e308", Number.MAX_VALUE],
  ])("accepts the score %s", async (sent, score) => {
    const { body } = await test.create({ grading_status: "graded", score: sent });
    const read = await test.read(body.submission_id);
    expect(Object.is(read.score, score)).toBe(true);
    expect(read.score_secondary).toBeNull();
  });

  it("ignores a score that is sent with another status", async () => {
    const { body } = await test.create({ grading_status: "initiated", score: "NaN" });
    expect(await test.read(body.submission_id)).toMatchObject({ score: null });
  });

  it("stores the description, the media and the message, and ignores unknown parameters", async () => {
    const { body } = await test.create({
      grading_status: "failed",
      grading_message: " <b>row 3</b> & more ",
      description_markdown: "# Tried *this*",
      comment: "ignored",
      media_large: "abc",
      media_thumbnail: "abc",
      media_content_type: "video/youtube",
    });
    expect(await test.read(body.submission_id)).toMatchObject({
      description_markdown: "# Tried *this*",
      grading_message: " <b>row 3</b> & more ",
    });
    const info = await test.ask("GET", `/api/external_graders/${body.submission_id}/submission_info`);
    expect(JSON.parse(info.body.body as string)).toMatchObject({
      grading_message: " <b>row 3</b> & more ",
      media_content_type: "video/youtube",
    });
    expect(
      await test.records.db
        .selectFrom("submissions")
        .select(["media_large", "media_thumbnail", "media_content_type"])
        .where("number", "=", body.submission_id)
        .executeTakeFirst(),
    ).toEqual({ media_large: "abc", media_thumbnail: "abc", media_content_type: "video/youtube" });
  });

  it("stores a media key as sent, without a check that the object exists", async () => {
    const media = {
      media_large: "https://example.org/a.png",
      media_thumbnail: "thumb.png",
      media_content_type: "image/png",
    };
    expect((await test.create(media)).status).toBe(202);
  });
});

describe("meta", () => {
  it.each([
    [
      "named values",
      { "meta[a]": "1", "meta[b][c]": "x", "meta[d][]": "y" },
      { a: "1", b: { c: "x" }, d: ["y"] },
    ],
    ["JSON text", { meta: '{"file_key":"submissions/1","n":1.5}' }, { file_key: "submissions/1", n: 1.5 }],
    ["a JSON list", { meta: "[1,2]" }, [1, 2]],
    ["a JSON number", { meta: "7" }, 7],
    ["text that is not JSON", { meta: "{oops" }, {}],
    [
      "a repeated name, whose last value counts",
      [
        ["meta", "a"],
        ["meta", "b"],
      ],
      {},
    ],
    ["an empty text", { meta: "" }, ""],
    ["nothing", {}, null],
    [
      "names of built-in properties",
      { "meta[__proto__][polluted]": "1", "meta[constructor]": "2" },
      JSON.parse('{"__proto__":{"polluted":"1"},"constructor":"2"}'),
    ],
  ] as [string, Record<string, string> | string[][], unknown][])("as %s", async (_, sent, kept) => {
    const query = new URLSearchParams({
      api_key: test.key,
      challenge_client_name: "test",
      grading_status: "submitted",
    });
    for (const [name, value] of Array.isArray(sent) ? sent : Object.entries(sent))
      query.append(name as string, value as string);
    const { status, body } = await test.ask("POST", "/api/external_graders", { query: query.toString() });
    expect(status).toBe(202);
    expect(JSON.stringify((await test.read(body.submission_id)).meta)).toBe(JSON.stringify(kept));
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it("as an object in a JSON body", async () => {
    const meta = { a: [1, { b: null }], "<script>": "&" };
    const { body } = await test.create({}, { body: { meta } });
    expect((await test.read(body.submission_id)).meta).toEqual(meta);
  });
});

describe("parameters", () => {
  const all = (test: WebappStage) => ({
    api_key: test.key,
    challenge_client_name: "test",
    grading_status: "graded",
    score: "0.5",
  });

  it.each([
    ["application/json", (sent: object) => JSON.stringify({ ...sent, score: 0.5 })],
    ["application/json; charset=utf-8", (sent: object) => JSON.stringify(sent)],
    ["application/x-www-form-urlencoded", (sent: object) => new URLSearchParams({ ...sent }).toString()],
    [
      "multipart/form-data; boundary=xx",
      (sent: object) =>
        `${Object.entries(sent)
          .map(
            ([name, value]) => `--xx\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
          )
          .join("")}--xx--\r\n`,
    ],
  ])("come in a body of %s", async (type, body) => {
    const answer = await test.ask("POST", "/api/external_graders", { type, body: body(all(test)) });
    // Whole, so that a failure shows the reason.
    expect(answer).toMatchObject({ status: 202, body: { message: "Participant ada scored" } });
    expect(await test.read(answer.body.submission_id)).toMatchObject({ score: 0.5 });
  });

  it("in the query override those in the body", async () => {
    const { body } = await test.ask("POST", "/api/external_graders", {
      query: { score: "0.25" },
      body: all(test),
    });
    expect(await test.read(body.submission_id)).toMatchObject({ score: 0.25 });
  });

  it("that are sent twice keep the last value", async () => {
    const query = `${new URLSearchParams(all(test))}&score=1&score=2`;
    const { body } = await test.ask("POST", "/api/external_graders", { query });
    expect(await test.read(body.submission_id)).toMatchObject({ score: 2 });
  });

  it("in a body of an unknown type are ignored", async () => {
    const body = JSON.stringify(all(test));
    const asked = { type: "application/vnd.api+json", body };
    expect((await test.ask("POST", "/api/external_graders", asked)).body.message).toBe(
      "The API key did not match any participant record.",
    );
    expect((await test.ask("POST", "/api/external_graders", { ...asked, key: test.organizer })).status).toBe(
      401,
    );
  });

  it("may come in the query in place of a body, with any key", async () => {
    expect((await test.create({}, { key: test.organizer })).status).toBe(202);
    expect((await test.create({}, { key: ADMIN })).status).toBe(202);
  });
});
