import { createApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { ADMIN, startWebapp, type WebappStage } from "./webapp-api-client.ts";

let test: WebappStage;
beforeAll(async () => {
  test = await startWebapp();
});
afterAll(() => test.close());

describe("the header's key", () => {
  it.each([
    ["the form every caller sends", (key: string) => `Token token=${key}`],
    ["the documented form", (key: string) => `Token token="${key}"`],
    ["the key alone", (key: string) => `Token ${key}`],
    ["Bearer", (key: string) => `Bearer ${key}`],
    ["Bearer with a name", (key: string) => `Bearer token=${key}`],
    ["more spaces", (key: string) => `Token   token=${key}`],
    ["pairs after it", (key: string) => `Token token="${key}", nonce="def"; realm=x`],
    ["a pair behind a tab", (key: string) => `Token token=${key}\tnonce=1`],
  ])("is accepted in %s", async (_, header) => {
    for (const key of [ADMIN, test.organizer])
      expect(
        (await test.ask("GET", `/api/external_graders/${test.key}`, { header: header(key) })).status,
      ).toBe(200);
  });

  it.each([
    ["nothing", () => undefined],
    ["an empty header", () => ""],
    ["an empty key", () => "Token token="],
    ["an empty quoted key", () => 'Token token=""'],
    ["the scheme alone", () => "Token"],
    ["another case of the scheme", () => `token token=${ADMIN}`],
    ["Basic", () => `Basic ${ADMIN}`],
    ["no scheme", () => ADMIN],
    ["an unknown key", () => `Token token=${createApiKey()}`],
    ["a mistyped key", () => "Token token=abc"],
    ["the admin's key and more", () => `Token token=${ADMIN}x`],
    ["the admin's key cut short", () => `Token token=${ADMIN.slice(0, -1)}`],
    ["another case of the key", () => `Token token=${ADMIN.toUpperCase()}`],
    ["a participant's key", () => `Token token=${test.key}`],
    ["a reference", () => "Token token=participant-1"],
    ["an injection", () => "Token token=' OR 1=1 --"],
  ])("is refused: %s", async (_, header) => {
    const asked = header() === undefined ? { key: null } : { header: header() as string };
    for (const [method, path] of [
      ["GET", `/api/external_graders/${test.key}`],
      ["POST", "/api/external_graders"],
      ["PATCH", "/api/external_graders/1"],
      ["PUT", "/api/external_graders/1"],
      ["GET", "/api/external_graders/1/submission_info"],
      ["GET", "/api/submissions"],
      ["GET", "/api/submissions/1"],
      ["GET", "/api/challenges"],
      ["GET", "/api/challenges/1"],
      ["GET", "/api/challenges/1/submissions"],
      ["GET", "/api/participants/ada"],
    ] as const) {
      const answer = await test.ask(method, path, asked);
      expect([method, path, answer.status]).toEqual([method, path, 401]);
      expect(answer.body).toEqual({ message: "HTTP Token: Access denied." });
      expect(answer.headers.get("www-authenticate")).toBe('Token realm="Application"');
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    }
  });

  it("stops working when it is revoked", async () => {
    const asked = { key: test.stranger };
    expect((await test.ask("GET", `/api/external_graders/${test.key}`, asked)).status).toBe(200);
    await revokeKeys(test.records, "organizer", "stranger", new Date().toISOString());
    expect((await test.ask("GET", `/api/external_graders/${test.key}`, asked)).status).toBe(401);
  });

  it("gives no access when no admin's key is set", async () => {
    const bare = await startWebapp({ env: { WEBAPP_TOKEN: "" } });
    try {
      for (const key of [ADMIN, "undefined", "null", ""])
        expect((await bare.ask("GET", "/api/challenges", { key })).status).toBe(401);
    } finally {
      await bare.close();
    }
  });
});

describe("verifying a participant's key", () => {
  it("returns its participant, to every organizer and the admin", async () => {
    for (const key of [ADMIN, test.organizer]) {
      const { status, body } = await test.ask("GET", `/api/external_graders/${test.key}`, { key });
      expect([status, body]).toEqual([200, { message: "Developer API key is valid", participant_id: 1 }]);
    }
  });

  it.each([
    "unknown",
    "%27%20OR%201%3D1%20--",
    "%00",
    "participant-2147483647",
    "participant-9999999999",
    "participant-0",
    "a".repeat(5000),
  ])("refuses the key %s", async (key) => {
    const { status, body } = await test.ask("GET", `/api/external_graders/${key}`);
    expect([status, body]).toEqual([
      404,
      { message: "No participant could be found for this API key", participant_id: null },
    ]);
  });

  it("refuses an organizer's key, and a participant's revoked key", async () => {
    const gone = await test.addParticipant("gone");
    await revokeKeys(test.records, "participant", "gone", new Date().toISOString());
    for (const key of [test.organizer, gone, "participant-2"])
      expect((await test.ask("GET", `/api/external_graders/${key}`)).status).toBe(404);
  });

  it("accepts a reference only from the admin", async () => {
    expect((await test.ask("GET", "/api/external_graders/participant-1")).body.participant_id).toBe(1);
    const asked = { key: test.organizer };
    expect((await test.ask("GET", "/api/external_graders/participant-1", asked)).status).toBe(404);
  });
});

describe("paths", () => {
  it.each([
    "/api//external_graders/KEY",
    "//api/external_graders/KEY",
    "/api/external_graders/KEY/",
    "/api/external_graders///KEY//",
    "/api/external_graders/KEY.json",
    "/api/external_graders/KEY.json/",
  ])("may be written %s", async (path) => {
    expect((await test.ask("GET", path.replace("KEY", test.key))).status).toBe(200);
  });

  it("respond to HEAD as to GET", async () => {
    const { status, body } = await test.ask("HEAD", `/api/external_graders/${test.key}`);
    expect([status, body]).toEqual([200, null]);
  });

  it.each([
    ["GET", "/api/external_graders"],
    ["POST", "/api/external_graders/KEY"],
    ["DELETE", "/api/external_graders/1"],
    ["GET", "/api/external_graders/challenge_config"],
    ["GET", "/api/external_graders/1/nothing"],
    ["GET", "/api/participants"],
    ["POST", "/api/submissions"],
    ["GET", "/api/challenges/1/nothing"],
  ])("that are unknown return 404: %s %s", async (method, path) => {
    const { status, body } = await test.ask(method, path.replace("KEY", test.key));
    expect([status, body]).toEqual([404, { status: 404, error: "Not Found" }]);
  });

  it("of other parts of the broker are unaffected", async () => {
    expect((await test.fetch("/api/v1/submissions")).status).toBe(200);
    expect(await (await test.fetch("/api/external_gradersx")).json()).toMatchObject({
      error: { code: "not_found" },
    });
  });
});
