import { createHash } from "node:crypto";
import { createSubmissionId, type Receipt } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWebapp, type WebappStage } from "./webapp-api-client.ts";

let test: WebappStage;
let now = Date.parse("2026-03-01T12:00:00.000Z");
let bob: string;
const ids: Record<string, number> = {};
beforeAll(async () => {
  test = await startWebapp({
    clock: () => new Date(now),
    challenges: [
      {
        score_secondary: { title: "Time", order: "ascending", precision: 1 },
        rounds: [
          {
            id: "a",
            title: "Warm-up",
            ends_at: "2026-03-02T00:00:00Z",
            limit: { count: 9, per: "week" },
            parallel_limit: 9,
          },
          {
            id: "b",
            starts_at: "2026-03-02T00:00:00Z",
            minimum_score: 0,
            ranking_window_hours: 24,
            highlight: 5,
          },
        ],
      },
      { id: "other" },
      { id: "done", title: "Done <b>", rounds: [{ id: "1", ends_at: "2020-01-01T00:00:00Z" }] },
      {
        id: "soon",
        rounds: [{ id: "1", starts_at: "2100-01-01T02:00:00+02:00" }],
        score: { order: "ascending" },
      },
    ],
  });
  bob = await test.addParticipant("Bob O'Neill");
  ids.graded = (
    await test.create({ grading_status: "graded", score: "0.123456789", score_secondary: "2" })
  ).body.submission_id;
  now += 1000;
  ids.submitted = (await test.create()).body.submission_id;
  ids.initiated = (await test.create({ api_key: bob, grading_status: "initiated" })).body.submission_id;
  now = Date.parse("2026-03-03T00:00:00.000Z");
  ids.failed = (await test.create({ grading_status: "failed", grading_message: "no" })).body.submission_id;
});
afterAll(() => test.close());

describe("the list of a challenge's submissions", () => {
  const list = async (query: Record<string, string>) =>
    (await test.ask("GET", "/api/submissions", { query: { challenge_client_name: "test", ...query } })).body;

  it("is an array of ids, and takes filters", async () => {
    const { graded, submitted, initiated, failed } = ids;
    expect(await list({})).toEqual([graded, submitted, initiated, failed]);
    for (const [status, id] of Object.entries(ids))
      expect(await list({ grading_status: status })).toEqual([id]);
    for (const status of ["ready", "nothing", "Graded", "*", "toString"])
      expect(await list({ grading_status: status })).toEqual([]);
    const first = (await test.read(graded as number)).challenge_round_id as number;
    expect(await list({ challenge_round_id: String(first) })).toEqual([graded, submitted, initiated]);
    expect(await list({ challenge_round_id: String(first), grading_status: "graded" })).toEqual([graded]);
    for (const round of ["99", "x", "4294967297"])
      expect(await list({ challenge_round_id: round })).toEqual([]);
    for (const after of [
      "2026-03-01T12:00:01Z",
      "2026-03-01 12:00:01",
      "2026-03-01T13:00:01.000+01:00",
      "2026-03-01 12:00:01 UTC",
    ])
      expect(await list({ after })).toEqual([submitted, initiated, failed]);
    expect(await list({ after: "2026-03-02" })).toEqual([failed]);
  });

  it("is allowed for the admin and the challenge's organizers", async () => {
    const query = { challenge_client_name: "test" };
    expect((await test.ask("GET", "/api/submissions", { query, key: test.organizer })).body).toHaveLength(4);
    expect((await test.ask("GET", "/api/submissions", { query, key: test.stranger })).status).toBe(401);
    expect((await test.ask("GET", "/api/submissions", { key: test.organizer })).status).toBe(401);
  });

  it("is not found for an unknown challenge", async () => {
    for (const name of ["<nothing>", "", "constructor"]) {
      const query = { challenge_client_name: name };
      const { status, body } = await test.ask("GET", "/api/submissions", { query });
      expect([status, body]).toEqual([404, { message: `challenge_client_name ${name} not found` }]);
    }
  });
});

describe("one submission", () => {
  it("has every field, with null where there is nothing", async () => {
    expect(await test.read(ids.graded as number)).toEqual({
      id: ids.graded,
      challenge_id: 4,
      challenge_round_id: expect.any(Number),
      participant_id: 1,
      challenge_name: "A test",
      created_at: "2026-03-01T12:00:00.000Z",
      participant_email: null,
      participant_name: "ada",
      participant_firstname: null,
      participant_lastname: null,
      participant_affiliation: null,
      grading_status_cd: "graded",
      score: 0.123456789,
      score_secondary: 2,
      meta: null,
      clef_method_description: null,
      clef_retrieval_type: null,
      clef_run_type: null,
      clef_primary_run: false,
      clef_other_info: null,
      clef_additional: null,
      description_markdown: null,
      grading_message: null,
      submission_files: [],
    });
  });

  it("from the broker's own clients has its file, and is ready before the file arrives", async () => {
    const bytes = Buffer.from("0.5");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const input = { kind: "file" as const, name: "a.csv", size: bytes.length, sha256 };
    const ada = await test.connect();
    const { submission, upload }: Receipt = await ada.submit({
      id: createSubmissionId(),
      message: "mine",
      input,
    });
    expect(await test.read(submission.number)).toMatchObject({
      grading_status_cd: "ready",
      submission_files: [],
    });
    const [part] = upload?.parts ?? [];
    await fetch(part?.url ?? "", { method: "PUT", body: bytes, headers: part?.headers ?? {} });
    await ada.ask("complete", { id: submission.id });
    const read = await test.read(submission.number);
    expect(read).toMatchObject({ grading_status_cd: "submitted", description_markdown: "mine" });
    const [file] = read.submission_files as { submission_file_s3_key: string; aws_url: string }[];
    expect(file?.submission_file_s3_key).toContain(submission.id);
    expect(await (await fetch(file?.aws_url ?? "")).text()).toBe("0.5");
    await ada.ask("cancel", { id: submission.id });
  });

  it("is allowed only for the admin", async () => {
    expect((await test.ask("GET", `/api/submissions/${ids.graded}`, { key: test.organizer })).status).toBe(
      401,
    );
  });

  it.each(["99999", "0", "-1", "1e1", "2147483648", "99999999999999999999", "x", "1%3Bdrop"])(
    "is not found by %s",
    async (id) => {
      const { status, body } = await test.ask("GET", `/api/submissions/${id}`);
      expect([status, body]).toEqual([404, { message: "No submission could be found for this id" }]);
    },
  );
});

describe("submission_info", () => {
  it("is a string that contains JSON", async () => {
    const { status, body } = await test.ask("GET", `/api/external_graders/${ids.failed}/submission_info`, {
      key: test.organizer,
    });
    expect([status, body.message]).toEqual([200, "Submission details found."]);
    expect(JSON.parse(body.body as string)).toEqual({
      id: ids.failed,
      participant_id: 1,
      score: null,
      score_secondary: null,
      grading_status_cd: "failed",
      grading_message: "no",
      post_challenge: false,
      media_content_type: null,
      created_at: "2026-03-03T00:00:00.000Z",
      updated_at: "2026-03-03T00:00:00.000Z",
      participant: { name: "ada" },
    });
  });

  it("needs a key of that challenge", async () => {
    for (const key of [null, test.key, test.stranger]) {
      const { status } = await test.ask("GET", `/api/external_graders/${ids.graded}/submission_info`, {
        key,
      });
      expect(status).toBe(401);
    }
  });

  it("refuses an unknown id", async () => {
    const { status, body } = await test.ask("GET", "/api/external_graders/99999/submission_info");
    expect([status, body]).toEqual([
      400,
      { message: "Couldn't find Submission with 'id'=99999", body: null },
    ]);
  });
});

describe("a challenge's submissions, whole", () => {
  const path = "/api/challenges/4/submissions";

  it("are listed for its organizers and the admin, with filters", async () => {
    for (const key of [undefined, test.organizer]) {
      const asked = key === undefined ? {} : { key };
      const query = { grading_status: "graded", after: "2026-03-01T00:00:00Z" };
      const { status, body } = await test.ask("GET", path, { ...asked, query });
      expect(status).toBe(200);
      expect(body).toEqual([await test.read(ids.graded as number)]);
    }
    expect((await test.ask("GET", path, { query: { grading_status: "nothing" } })).body).toEqual([]);
  });

  it.each(["4", "99", "test", "4294967300", "-1", "4x"])("are refused to others: %s", async (id) => {
    const key = id === "4" ? test.stranger : test.organizer;
    const { status, body } = await test.ask("GET", `/api/challenges/${id}/submissions`, { key });
    expect([status, body]).toEqual([
      401,
      { message: "The organizer is not authorized to access the requested challenge_id" },
    ]);
  });

  it("respond to an invalid time with a server error", async () => {
    for (const after of ["yesterday", "2026-99-99", "' OR 1=1", "2026-03-01T25:00"]) {
      const { status, body } = await test.ask("GET", path, { query: { after } });
      expect([status, body]).toEqual([500, { message: "server error" }]);
    }
  });
});

describe("challenges", () => {
  it("are listed for the admin, running ones first", async () => {
    const { status, body } = await test.ask("GET", "/api/challenges");
    expect(status).toBe(200);
    expect(body).toEqual({
      message: [
        ["A test", 4, "running", "descending", "ascending", true],
        ["A test", 2, "running", "descending", "not_used", true],
        ["A test", 3, "starting_soon", "ascending", "not_used", true],
        ["Done <b>", 1, "completed", "descending", "not_used", false],
      ].map(([challenge, id, status_cd, primary, secondary, perpetual_challenge]) => ({
        id,
        challenge,
        status_cd,
        primary_sort_order_cd: primary,
        secondary_sort_order_cd: secondary,
        perpetual_challenge,
      })),
    });
    expect((await test.ask("GET", "/api/challenges", { key: test.organizer })).status).toBe(401);
  });

  it("are escaped for a page", async () => {
    const answer = await fetch(`${test.broker.url}/api/challenges/done`, {
      headers: { authorization: "Bearer admin-key-of-this-broker" },
    });
    expect(await answer.text()).toContain('"Done \\u003cb\\u003e"');
  });

  it("are shown with their rounds, by number or by name", async () => {
    const byName = await test.ask("GET", "/api/challenges/test");
    expect((await test.ask("GET", "/api/challenges/4")).body).toEqual(byName.body);
    expect(byName.body).toMatchObject({
      message: {
        id: 4,
        challenge_rounds: [
          {
            challenge_id: 4,
            challenge_round: "Warm-up",
            active: false,
            start_dttm: null,
            end_dttm: "2026-03-02T00:00:00.000Z",
            submission_limit: 9,
            submission_limit_period_cd: "week",
            parallel_submissions: 9,
            failed_submissions: 0,
            minimum_score: null,
            ranking_window: 96,
            ranking_highlight: 3,
            score_precision: 3,
            score_secondary_precision: 1,
          },
          {
            challenge_round: "Round 2",
            active: true,
            start_dttm: "2026-03-02T00:00:00.000Z",
            end_dttm: null,
            submission_limit: null,
            parallel_submissions: 100,
            minimum_score: 0,
            ranking_window: 24,
            ranking_highlight: 5,
          },
        ],
      },
    });
  });

  it.each(["99", "nothing", "constructor", "99999999999"])("are not found by %s", async (id) => {
    const { status, body } = await test.ask("GET", `/api/challenges/${id}`);
    expect([status, body]).toEqual([404, { message: "No challenge could be found for this ID" }]);
  });

  it("keep their numbers after a restart", async () => {
    const before = (await test.ask("GET", "/api/challenges/test")).body;
    await test.restart();
    expect((await test.ask("GET", "/api/challenges/test")).body).toEqual(before);
  });
});

describe("a participant by name", () => {
  it("is found whatever the case, with a reference in place of the key", async () => {
    const { status, body } = await test.ask("GET", "/api/participants/ADA");
    const profile = { name: null, affiliation: null, link: null, picture: null };
    expect([status, body]).toEqual([
      200,
      { id: 1, email: null, api_key: "participant-1", name: "ada", profile },
    ]);
    const verified = await test.ask("GET", `/api/external_graders/${body.api_key}`);
    expect(verified.body).toEqual({ message: "Developer API key is valid", participant_id: 1 });
    expect((await test.create({ api_key: String(body.api_key) })).status).toBe(202);
    expect((await test.create({ api_key: String(body.api_key) }, { key: test.organizer })).status).toBe(400);
  });

  it("may have a quote, a space and a dot in it", async () => {
    await test.addParticipant("j. r. o'hara.2");
    for (const name of ["bob o'neill", "J. R. O'Hara.2"]) {
      const { status, body } = await test.ask("GET", `/api/participants/${encodeURIComponent(name)}`);
      expect([status, String(body.name).toLowerCase()]).toEqual([200, name.toLowerCase()]);
    }
  });

  it.each([
    "unknown",
    "' OR '1'='1",
    "ada'; drop table participants; --",
    "ada\0",
    "%",
    "a_a",
    "a.b",
    "\u{1f600}".repeat(300),
  ])("is not found by %j", async (name) => {
    const { status, body } = await test.ask("GET", `/api/participants/${encodeURIComponent(name)}`);
    expect([status, body]).toEqual([404, { message: "No participant could be found for this username" }]);
  });

  it("is shown only to the admin", async () => {
    expect((await test.ask("GET", "/api/participants/ada", { key: test.organizer })).status).toBe(401);
  });
});
