import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { openChallenge } from "./legacy-challenge.ts";

const ERROR = "CrowdAI.Event.Job.ERROR";

describe("an upload of an older client", () => {
  let test: TestBroker;
  let now: number;
  beforeEach(async () => {
    now = Date.now();
    test = await startBroker({
      clock: () => new Date(now),
      challenges: [{ accepts: { file: { max_bytes: 100, extensions: [".csv"] } } }],
    });
  });
  afterEach(() => test.close());

  const presign = (key: string) => fetch(`${test.broker.url}/api/external_graders/${key}/presign`);
  const slot = async (key = test.key) =>
    (await (await presign(key)).json()) as { s3_key: string; presigned_url: string };
  const put = (url: string, body: string | null) => fetch(url, { method: "PUT", body });
  const grade = async (file_key: unknown, key = test.key) => {
    const challenge = await openChallenge(test.broker.url, key);
    const { answer } = await challenge.call("grade_submission", [{ file_key }]);
    challenge.connection.close();
    return answer[0]!;
  };

  it("gets a key and an address, which accepts one PUT without headers", async () => {
    const answer = await presign(test.key);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { s3_key: string; presigned_url: string };
    expect(body).toEqual({
      message: "Presigned url generated",
      participant_id: 1,
      s3_key: expect.stringMatching(/^submissions\/[0-9a-f-]{36}$/),
      presigned_url: expect.stringMatching(/^http/),
    });
    expect(body.presigned_url).not.toContain(test.key);
    expect((await put(body.presigned_url, "0.5")).status).toBe(200);
    // It stays stored and may be submitted again.
    expect(await grade(body.s3_key)).toMatchObject({ data: { score: 0.5 } });
    expect(await grade(body.s3_key)).toMatchObject({ data: { score: 0.5 } });
  });

  it("may arrive in small pieces", async () => {
    const { s3_key, presigned_url } = await slot();
    const pieces = ReadableStream.from(["0", ".", "2", "5"].map((piece) => Buffer.from(piece)));
    const sent = { method: "PUT", body: pieces, duplex: "half" } as RequestInit;
    expect((await fetch(presigned_url, sent)).status).toBe(200);
    expect(await grade(s3_key)).toMatchObject({ data: { score: 0.25 } });
  });

  it("is refused for an unknown key", async () => {
    for (const key of ["0123456789abcdef", "x", "..%2F..", test.key.slice(0, -1)]) {
      const answer = await presign(key);
      expect([answer.status, await answer.json()]).toEqual([
        404,
        {
          message: "No participant could be found for this API key",
          participant_id: null,
          s3_key: null,
          presigned_url: null,
        },
      ]);
    }
  });

  it("cannot be graded when it is missing, empty, or another participant's", async () => {
    const never = await slot();
    expect(await grade(never.s3_key)).toMatchObject({
      response_type: ERROR,
      message: expect.stringContaining("You have no upload"),
    });
    const empty = await slot();
    expect((await put(empty.presigned_url, "")).status).toBe(200);
    expect(await grade(empty.s3_key)).toMatchObject({ response_type: ERROR, message: /empty/ });
    const ada = await slot();
    await put(ada.presigned_url, "0.5");
    expect(await grade(ada.s3_key, await test.addParticipant("eve"))).toMatchObject({
      response_type: ERROR,
      message: expect.stringContaining("You have no upload"),
    });
    for (const key of ["instance.json", "../secret", "submissions/", `incoming/1/${ada.s3_key.slice(12)}`])
      expect(await grade(key)).toMatchObject({ response_type: ERROR });
    const { submissions } = (await (await test.fetch("/api/v1/submissions")).json()) as {
      submissions: unknown[];
    };
    expect(submissions).toEqual([]);
  });

  it("is limited to the largest file of any challenge, with or without a declared length", async () => {
    const told = await slot();
    expect((await put(told.presigned_url, "x".repeat(101))).status).toBe(413);
    const streamed = await slot();
    const pieces = ReadableStream.from(Array.from({ length: 50 }, () => Buffer.alloc(10)));
    const sent = { method: "PUT", body: pieces, duplex: "half" } as RequestInit;
    expect((await fetch(streamed.presigned_url, sent)).status).toBe(413);
    for (const { s3_key } of [told, streamed])
      expect(await grade(s3_key)).toMatchObject({
        message: expect.stringContaining("may have 100 bytes"),
      });
  });

  it("is not overwritten", async () => {
    const { s3_key, presigned_url } = await slot();
    await put(presigned_url, "0.5");
    expect((await put(presigned_url, "0.9")).status).toBe(409);
    expect(await grade(s3_key)).toMatchObject({ data: { score: 0.5 } });
  });

  it("is accepted within a quarter of an hour, only at the exact address", async () => {
    const { presigned_url } = await slot();
    const other = await slot(await test.addParticipant("eve"));
    const changed = (change: (url: URL) => void) => {
      const url = new URL(presigned_url);
      change(url);
      return url.href;
    };
    const wrong = [
      changed((url) => url.searchParams.set("participant", "2")),
      changed((url) => url.searchParams.set("expires", "9999999999")),
      changed((url) => url.searchParams.delete("signature")),
      changed((url) => {
        url.pathname = new URL(other.presigned_url).pathname;
      }),
    ];
    for (const url of wrong) expect((await put(url, "0.9")).status).toBe(403);
    now += 901_000;
    expect((await put(presigned_url, "0.5")).status).toBe(403);
  });

  it("replaces the oldest when many were not submitted", async () => {
    const keys: string[] = [];
    for (let i = 0; i < 21; i++) {
      const { s3_key, presigned_url } = await slot();
      now += 1000;
      await put(presigned_url, "0.5");
      keys.push(s3_key);
    }
    expect(await grade(keys[0])).toMatchObject({ response_type: ERROR });
    expect(await grade(keys[1])).toMatchObject({ data: { score: 0.5 } });
    expect(await grade(keys[20])).toMatchObject({ data: { score: 0.5 } });
  });
});
