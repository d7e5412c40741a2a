import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { ADMIN, startWebapp, type WebappStage } from "./webapp-api-client.ts";

let test: WebappStage;
beforeAll(async () => {
  test = await startWebapp();
});
afterAll(() => test.close());

const post = (asked: Parameters<WebappStage["ask"]>[2]) => test.ask("POST", "/api/external_graders", asked);
const base = () =>
  new URLSearchParams({ api_key: test.key, challenge_client_name: "test", grading_status: "submitted" });

describe("parameters that cannot be read", () => {
  it.each([
    ["broken percent signs", "description_markdown=%zz", "invalid %-encoding (%zz)"],
    ["bytes that are not UTF-8", "description_markdown=%ff%fe", "invalid %-encoding (%ff%fe)"],
    [
      "a name that is a text and an object",
      "meta=1&meta[a]=2",
      "expected Hash (got String) for param `meta'",
    ],
    [
      "a name that is a list and an object",
      "meta[]=1&meta[a]=2",
      "expected Hash (got Array) for param `meta'",
    ],
    [
      "a name that is an object and a list",
      "meta[a]=1&meta[]=2",
      "expected Array (got Hash) for param `meta'",
    ],
    ["names nested without end", `meta${"[a]".repeat(5000)}=1`, "Bad Request"],
    ["an object for a text", "description_markdown[a]=1", "description_markdown must be a text"],
    ["a list for a score", "grading_status=graded&score[]=1", "score must be a finite number"],
    ["a null byte", "grading_status=failed&grading_message=a%00b", "string contains null byte"],
    ["a null byte in a round", "challenge_round_id=1%00", "string contains null byte"],
  ])("are refused: %s", async (_, query, message) => {
    const { status, body } = await post({ query: `${base()}&${query}` });
    expect([status, body.message]).toEqual([400, message]);
    expect(await test.count()).toBe(0);
  });

  it.each([
    ["broken JSON", "{oops", "The body is not valid JSON"],
    ["a number beyond the largest", '{"score":1e999}', "larger than a double can represent"],
    ["NaN", '{"score":NaN}', "NaN"],
    ["deep nesting", `{"meta":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "nested"],
  ])("are refused in a body of %s", async (_, body, message) => {
    const answer = await post({ query: base().toString(), type: "application/json", body });
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining(message)]);
    expect(await test.count()).toBe(0);
  });

  it("are refused in meta that is nested too deeply", async () => {
    const { status, body } = await post({
      body: { ...Object.fromEntries(base()), meta: "[".repeat(50_000) + "]".repeat(50_000) },
    });
    expect([status, body.message]).toEqual([400, expect.stringContaining("nested")]);
  });

  it.each(["[1,2]", '"text"', "7", "null", ""])(
    "are missing in a body that is not an object: %s",
    async (body) => {
      const { status } = await post({ query: base().toString(), type: "application/json", body });
      expect(status).toBe(202);
    },
  );

  it("are refused in a broken multipart form", async () => {
    const { status } = await post({
      query: base().toString(),
      type: "multipart/form-data; boundary=xx",
      body: "--yy\r\nnonsense",
    });
    expect(status).toBe(400);
  });
});

describe("sizes", () => {
  it("accept large values within a megabyte", async () => {
    const meta = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, "x".repeat(20)]));
    const { status, body } = await post({
      body: { ...Object.fromEntries(base()), meta, description_markdown: "é".repeat(10_000) },
    });
    expect(status).toBe(202);
    const read = await test.read(body.submission_id);
    expect(read.meta).toEqual(meta);
    expect(read.description_markdown).toBe("é".repeat(10_000));
  });

  it("refuse a body beyond a megabyte, with a message", async () => {
    const before = await test.count();
    const { status, body } = await post({
      body: { ...Object.fromEntries(base()), meta: "x".repeat(1024 * 1024) },
    });
    expect([status, body.message]).toEqual([413, expect.stringContaining("1048576")]);
    expect(await test.count()).toBe(before);
  });

  it("refuse a chunked body that does not end", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const url = `${test.broker.url}/api/external_graders?${base()}`;
      const headers = { authorization: `Token ${ADMIN}`, "content-type": "application/json" };
      const sending = request(url, { method: "POST", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
        sending.destroy();
      });
      sending.on("error", reject);
      for (let i = 0; i < 40; i++) sending.write(Buffer.alloc(64 * 1024, 32));
    });
    expect(status).toBe(413);
  });

  it("accept a hundred thousand names without delay", async () => {
    const names = Array.from({ length: 90_000 }, (_, i) => `a[${i % 300}][]=`).join("&");
    const body = `${base()}&${names}`.slice(0, 1024 * 1024);
    const started = performance.now();
    const answer = await post({ type: "application/x-www-form-urlencoded", body });
    expect(answer.status).toBe(202);
    expect(performance.now() - started).toBeLessThan(allowedMs(3000));
  });
});

describe("texts", () => {
  it.each([
    ["markup", "<script>alert(1)</script> & \u2028"],
    ["half a surrogate pair, as an escape", "\ud800x"],
    ["SQL", "'; drop table submissions; --"],
    ["a change of the text direction", "\u202eabc"],
    ["a template", "{{7*7}} %s %n <%= 1 %>"],
  ])("are stored unchanged, and escaped for a page: %s", async (_, text) => {
    const { body } = await post({
      body: {
        ...Object.fromEntries(base()),
        grading_status: "failed",
        grading_message: text,
        description_markdown: text,
        meta: { [text]: text },
      },
    });
    const answer = await fetch(`${test.broker.url}/api/submissions/${body.submission_id}`, {
      headers: { authorization: `Token ${ADMIN}` },
    });
    const raw = await answer.text();
    expect(raw).not.toMatch(/[<>&\u2028]/);
    const read = JSON.parse(raw);
    expect(read.description_markdown).toBe(text.toWellFormed());
    expect(read.meta).toEqual({ [text]: text });
  });

  it("never repeat the key of a call", async () => {
    for (const [name, value] of [
      ["api_key", `${test.key}x`],
      ["grading_status", "x"],
      ["challenge_client_name", "x"],
    ] as const) {
      const { body } = await test.create({ [name]: value });
      expect(JSON.stringify(body)).not.toContain(test.key.slice(8, 20));
    }
  });
});

describe("a submission that many callers update at once", () => {
  it("ends as exactly one of the calls wrote it, with one row on the board", async () => {
    const { body } = await test.create();
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        test.update(
          body.submission_id,
          i % 3 === 0
            ? { grading_status: "failed", grading_message: `no ${i}` }
            : {
                grading_status: "graded",
                score: String(i),
                score_secondary: String(-i),
                [`meta[${i}]`]: "x",
              },
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(202));
    const read = await test.read(body.submission_id);
    expect(Object.keys(read.meta as object)).toHaveLength(20);
    const { db } = test.records;
    const row = await db
      .selectFrom("submissions")
      .selectAll()
      .where("number", "=", body.submission_id)
      .executeTakeFirstOrThrow();
    const events = await db
      .selectFrom("events")
      .select("seq")
      .where("submission", "=", row.id)
      .orderBy("seq")
      .execute();
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: row.seq }, (_, i) => i + 1));
    if (read.score !== null)
      expect(read.score_secondary).toBe(read.score === 0 ? 0 : -(read.score as number));
    const standings = await db.selectFrom("standings").selectAll().where("submission", "=", row.id).execute();
    expect(standings).toHaveLength(row.state === "graded" ? 2 : 0);
    const slots = await db.selectFrom("slots").selectAll().where("submission", "=", row.id).execute();
    expect(slots).toMatchObject([{ state: "charged" }]);
  });
});
