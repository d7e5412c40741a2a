import { createApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addOrganizer, revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker, type TestClient, untilEnd } from "../support/test-broker.ts";

const now = () => new Date().toISOString();

describe("access", () => {
  let test: TestBroker;
  let ada: TestClient;
  let organizer: string;
  let own: string;
  beforeAll(async () => {
    test = await startBroker({ challenges: [{}, { id: "other" }] });
    ada = await test.connect();
    organizer = await addOrganizer(test.records, "org", ["test"], now());
    own = (await ada.submit({ input: { kind: "inline", data: { score: 1 } } })).submission.id;
    await untilEnd(ada, own);
  });
  afterAll(() => test.close());

  it("distinguishes a missing, a mistyped and an unknown key, on the socket and over HTTP", async () => {
    const unknown = createApiKey();
    const mistyped = `${unknown.slice(0, -1)}${unknown.endsWith("0") ? "1" : "0"}`;
    for (const [key, code] of [
      ["", "no_key"],
      [mistyped, "key_malformed"],
      [unknown, "key_unknown"],
    ] as const) {
      await expect(test.connect({ key: key || " " })).rejects.toMatchObject({
        code: key ? code : "key_malformed",
      });
      const answer = await test.fetch("/api/v1/me", { key: key || null });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error: { code } });
    }
  });

  it("rejects a revoked key at once: in requests, in new sessions, and in open sessions", async () => {
    const key = await test.addParticipant("gone");
    const client = await test.connect({ key });
    const closed = new Promise((resolve) => client.socket.once("disconnect", resolve));
    await revokeKeys(test.records, "participant", "Gone", now());
    const refused = await client.submit({ input: { kind: "inline", data: { score: 1 } } }).then(
      () => "accepted",
      (error) => error.code ?? error.message,
    );
    // A busy machine may have closed the session before the request came.
    expect(["key_revoked", "socket has been disconnected"]).toContain(refused);
    await expect(test.connect({ key })).rejects.toMatchObject({ code: "key_revoked" });
    expect((await test.fetch("/api/v1/me", { key })).status).toBe(401);
    await closed;
  });

  const routes = [
    ["GET", "/api/v1/me"],
    ["GET", "/api/v1/challenges/test/limits"],
    ["GET", "/api/v1/submissions"],
    ["GET", "/api/v1/submissions/:own"],
    ["GET", "/api/v1/submissions/:own/events"],
    ["POST", "/api/v1/submissions/:own/complete"],
    ["POST", "/api/v1/submissions/:own/cancel"],
  ] as const;
  it.each(routes)("%s %s requires a key with access", async (method, path) => {
    const at = path.replace(":own", own);
    expect((await test.fetch(at, { method, key: null })).status).toBe(401);
    if (!path.includes(":own")) return;
    const stranger = await test.addParticipant(`stranger ${method} ${path}`.slice(0, 90));
    const answer = await test.fetch(at, { method, key: stranger });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "submission_unknown" } });
  });

  it("lets an organizer see submissions of their challenges, but not submit", async () => {
    expect((await test.fetch(`/api/v1/submissions/${own}`, { key: organizer })).status).toBe(200);
    await expect(test.connect({ key: organizer })).rejects.toMatchObject({ code: "not_allowed" });
    const stranger = await addOrganizer(test.records, "org2", ["other"], now());
    expect((await test.fetch(`/api/v1/submissions/${own}`, { key: stranger })).status).toBe(404);
  });

  it("stores the digest of a key only", async () => {
    const dump = JSON.stringify([
      await test.records.db.selectFrom("api_keys").selectAll().execute(),
      await test.records.db.selectFrom("participants").selectAll().execute(),
    ]);
    expect(dump).not.toContain(test.key.slice(8, 20));
  });

  it("answers every malformed request with an error of the catalog", async () => {
    const wrong = async (path: string, body: unknown) =>
      (await test.fetch(path, { method: "POST", body })).json();
    expect(await wrong("/api/v1/submissions", { id: "x" })).toMatchObject({ error: { code: "usage" } });
    expect(await wrong("/api/v1/submissions", { padding: "x".repeat(2_000_000) })).toMatchObject({
      error: { code: "message_too_large" },
    });
    expect(await (await test.fetch("/api/v1/challenges/test/leaderboard?limit=-1")).json()).toMatchObject({
      error: { code: "usage" },
    });
    await expect(ada.ask("submit", { id: "../../etc", challenge: "test" })).rejects.toMatchObject({
      code: "usage",
    });
    await expect(ada.ask("watch", "what?")).rejects.toMatchObject({ code: "usage" });
  });

  it("serves only the public data of a challenge", async () => {
    for (const path of [
      "..%2fchallenge.json",
      "%2e%2e/private/answers.csv",
      "challenge.json",
      "../evaluate.py",
    ]) {
      const answer = await test.fetch(`/api/v1/challenges/test/data/${path}`);
      expect(answer.status).toBe(404);
    }
  });

  it("describes its routes in /openapi.json, with the same schemas", async () => {
    const document = (await (await test.fetch("/openapi.json")).json()) as {
      openapi: string;
      paths: Record<string, object>;
    };
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        "/me",
        "/challenges/{id}/leaderboard",
        "/submissions",
        "/submissions/{id}/events",
        "/calls",
      ]),
    );
  });
});
