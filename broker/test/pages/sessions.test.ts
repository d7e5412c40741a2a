import { BlockList } from "node:net";
import { createApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CodeServices } from "../../src/background/code-services.ts";
import { embeddedWebapp } from "../../src/background/webapp/embedded-webapp.ts";
import { rateLimiters } from "../../src/base/rate-limits.ts";
import { revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { createPages } from "../../src/http/pages/pages.tsx";
import type { HttpServices } from "../../src/http/requests/http-services.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { createPageClient } from "./page-client.ts";

const HOUR = 3600_000;

describe("a session of the pages", () => {
  let test: TestBroker;
  let ahead = 0;
  beforeAll(async () => {
    test = await startBroker({ withGrader: false, clock: () => new Date(Date.now() + ahead) });
  });
  afterAll(() => test?.close());
  const greets = async (visitor: ReturnType<typeof createPageClient>, name: string) =>
    (await (await visitor.get("/")).text()).includes(`<bdi class="outside">${name}</bdi>`);

  it("starts with a key, returns to the requested page, and does not contain the key", async () => {
    const visitor = createPageClient(test);
    const answer = await visitor.signIn(test.key, "/challenges/test?round=1");
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/challenges/test?round=1"]);
    const [cookie] = visitor.set.filter(
      (line) => line.startsWith("crowdai_session=") && !line.includes("Max-Age=0"),
    );
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(cookie).toMatch(/Max-Age=28800/i);
    expect(cookie).not.toMatch(/Secure/i);
    const { hash } = await test.records.db.selectFrom("api_keys").select("hash").executeTakeFirstOrThrow();
    for (const secret of [test.key.slice(8, 20), hash.slice(0, 12)]) expect(cookie).not.toContain(secret);
    expect(await greets(visitor, "ada")).toBe(true);
  });

  it("has a Secure cookie when the broker is reached over https", async () => {
    const context = {
      records: test.records,
      clock: () => new Date(),
      baseUrl: () => "https://broker.example.org",
      trustedProxies: new BlockList(),
      objects: { signGet: async () => "https://store.example.org/bucket/x?signature=1" },
      webapp: embeddedWebapp(test.records.db),
    } as unknown as HttpServices;
    const { app } = createPages({
      context: () => context,
      code: () => ({}) as CodeServices,
      nextEvent: async () => {},
      createRateLimiter: rateLimiters(),
      openapi: () => ({}),
    });
    const answer = await app.request("http://broker.internal:8420/sign-in", {
      method: "POST",
      body: new URLSearchParams({ key: test.key }),
      headers: { origin: "https://broker.example.org" },
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.getSetCookie().at(-1)).toMatch(/^crowdai_session=.*Secure/i);
    expect(answer.headers.get("content-security-policy")).toContain(
      "img-src 'self' https://store.example.org",
    );
  });

  it("does not accept a changed cookie", async () => {
    const visitor = createPageClient(test);
    await visitor.signIn(test.key);
    const value = visitor.cookies.get("crowdai_session") as string;
    visitor.cookies.set("crowdai_session", `${value[0] === "a" ? "b" : "a"}${value.slice(1)}`);
    expect(await greets(visitor, "ada")).toBe(false);
  });

  it("ends with a sign-out, also for a copied cookie", async () => {
    const visitor = createPageClient(test);
    await visitor.signIn(test.key);
    const kept = visitor.cookies.get("crowdai_session") as string;
    expect((await visitor.post("/sign-out", { token: await visitor.token() })).status).toBe(303);
    expect(visitor.cookies.has("crowdai_session")).toBe(false);
    visitor.cookies.set("crowdai_session", kept);
    expect(await greets(visitor, "ada")).toBe(false);
  });

  it("ends immediately when its key is revoked", async () => {
    const visitor = createPageClient(test);
    await visitor.signIn(await test.addParticipant("brief"));
    expect(await greets(visitor, "brief")).toBe(true);
    await revokeKeys(test.records, "participant", "brief", new Date().toISOString());
    expect(await greets(visitor, "brief")).toBe(false);
    expect((await visitor.get("/submissions")).status).toBe(401);
  });

  it("ends after 8 hours", async () => {
    const visitor = createPageClient(test);
    await visitor.signIn(test.key);
    ahead = 8 * HOUR - 60_000;
    expect(await greets(visitor, "ada")).toBe(true);
    ahead = 8 * HOUR + 1000;
    expect(await greets(visitor, "ada")).toBe(false);
    ahead = 0;
  });

  it("survives a restart of the broker", async () => {
    const visitor = createPageClient(test);
    await visitor.signIn(test.key);
    await test.restart();
    expect(await greets(visitor, "ada")).toBe(true);
  });

  it("cannot be started by a link, only by the form", async () => {
    const visitor = createPageClient(test);
    expect((await visitor.get(`/sign-in?key=${test.key}`)).status).toBe(200);
    expect(await greets(visitor, "ada")).toBe(false);
  });

  it.each([
    "//evil.example",
    "/\\evil.example",
    "https://evil.example/",
    "/\t/evil.example",
    "javascript:alert(1)",
  ])("does not redirect to another site after signing in: %j", async (next) => {
    const answer = await createPageClient(test).signIn(test.key, next);
    expect(answer.headers.get("location")).toBe("/");
  });

  it("refuses a wrong key with the reason, and an address for a while after ten of them", async () => {
    const other = await startBroker({ withGrader: false });
    try {
      const visitor = createPageClient(other);
      const malformed = await visitor.signIn(`${other.key.slice(0, -1)}!`);
      expect(malformed.status).toBe(401);
      expect(await malformed.text()).toContain("malformed");
      for (let i = 0; i < 9; i++) expect((await visitor.signIn(createApiKey())).status).toBe(401);
      const refused = await visitor.signIn(other.key);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refused.text()).toContain("too many wrong keys");
      expect(visitor.cookies.has("crowdai_session")).toBe(false);
    } finally {
      await other.close();
    }
  });
});

describe("a form of the pages", () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await startBroker({ withGrader: false });
  });
  afterAll(() => test?.close());

  it("is refused when it comes from another site, or from an unknown one", async () => {
    const visitor = createPageClient(test);
    const form = { key: test.key };
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    ] as Record<string, string>[])
      expect((await visitor.post("/sign-in", form, headers)).status).toBe(403);
    const bare = await fetch(`${test.broker.url}/sign-in`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    expect(bare.status).toBe(403);
  });

  it("is refused without the token of the reader's own session", async () => {
    const visitor = createPageClient(test);
    await visitor.signIn(test.key);
    const stranger = createPageClient(test);
    await stranger.signIn(await test.addParticipant("stranger"));
    for (const token of ["", "x", await stranger.token()]) {
      expect((await visitor.post("/sign-out", { token })).status).toBe(403);
      expect((await visitor.post("/agreement/mit", { token, agree: "yes" })).status).toBe(403);
    }
    expect(await test.records.db.selectFrom("agreements").select("id").execute()).toEqual([]);
  });

  it("is refused when it is too large", async () => {
    const visitor = createPageClient(test);
    expect((await visitor.post("/sign-in", { key: "x".repeat(20_000) })).status).toBe(413);
  });
});
