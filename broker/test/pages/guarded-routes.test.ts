import { BlockList } from "node:net";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CodeServices } from "../../src/background/code-services.ts";
import { embeddedWebapp } from "../../src/background/webapp/embedded-webapp.ts";
import { rateLimiters } from "../../src/base/rate-limits.ts";
import { createPages } from "../../src/http/pages/pages.tsx";
import type { HttpServices } from "../../src/http/requests/http-services.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

const OWN = "https://broker.example.org";
const FOREIGN: Record<string, string>[] = [{ origin: "https://evil.example" }, { origin: "null" }, {}];
const FORM = { accept: "text/html", "content-type": "application/x-www-form-urlencoded" };

describe("a route of the pages", () => {
  let test: TestBroker;
  let app: ReturnType<typeof createPages>["app"];
  let paths: string[];
  beforeAll(async () => {
    test = await startBroker({ withGrader: false });
    const context = {
      records: test.records,
      clock: () => new Date(),
      baseUrl: () => OWN,
      trustedProxies: new BlockList(),
      objects: { signGet: async () => "https://store.example.org/bucket/x?signature=1" },
      webapp: embeddedWebapp(test.records.db),
      catalog: { all: () => new Map() },
      log: pino({ level: "silent" }),
    } as unknown as HttpServices;
    ({ app } = createPages({
      context: () => context,
      code: () => ({}) as CodeServices,
      nextEvent: async () => {},
      createRateLimiter: rateLimiters(),
      openapi: () => ({}),
    }));
    // Added as any new page is, and listed nowhere else.
    app.get("/brand/new", (c) => c.html("<p>new</p>"));
    app.post("/brand/new", (c) => c.text("sent"));
    app.all("/brand/any", (c) => c.text("any"));
    app.get("/brand/raw", () => new Response("raw"));
    app.get("/brand/broken", () => {
      throw new Error("broken");
    });
    paths = [...new Set(app.routes.map(({ path }) => path))].filter((path) => path !== "/*");
  });
  afterAll(() => test?.close());

  const post = (path: string, headers: Record<string, string>, body = "a=1") =>
    app.request(OWN + path, { method: "POST", headers: { ...FORM, ...headers }, body });

  it.each(["/brand/new", "/brand/any", "/brand/raw", "/brand/broken", "/brand/none"])(
    "carries the content-security policy and cache headers: GET %s",
    async (path) => {
      for (const accept of ["text/html", "application/json"]) {
        const { headers } = await app.request(OWN + path, { headers: { accept } });
        const policy = headers.get("content-security-policy")?.split("; ");
        for (const rule of [
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          `img-src 'self' https://store.example.org ${OWN}`,
          `media-src 'self' https://store.example.org ${OWN}`,
          "connect-src 'self'",
          "form-action 'self'",
          "frame-ancestors 'none'",
          "base-uri 'none'",
        ])
          expect(policy).toContain(rule);
        expect(headers.get("cache-control")).toBe("private, no-cache");
        expect(headers.get("vary")).toBe("cookie");
        expect(headers.get("x-content-type-options")).toBe("nosniff");
        expect(headers.get("referrer-policy")).toBe("no-referrer");
      }
    },
  );

  it("is not sent again while it is unchanged", async () => {
    const first = await app.request(`${OWN}/brand/new`);
    const again = await app.request(`${OWN}/brand/new`, {
      headers: { "if-none-match": first.headers.get("etag") ?? "" },
    });
    expect([again.status, again.headers.get("cache-control")]).toEqual([304, "private, no-cache"]);
  });

  it("refuses a form from another site, or from an unknown one", async () => {
    for (const path of ["/brand/new", "/brand/any"]) {
      expect((await post(path, { origin: OWN })).status).toBe(200);
      for (const headers of FOREIGN) {
        const refused = await post(path, headers);
        expect([path, refused.status]).toEqual([path, 403]);
        expect(refused.headers.get("content-security-policy")).toContain("default-src 'none'");
        expect(refused.headers.get("cache-control")).toBe("private, no-cache");
      }
    }
  });

  it("refuses a form that is too large", async () => {
    const refused = await post("/brand/new", { origin: OWN }, "a".repeat(16 * 1024 + 1));
    expect([refused.status, refused.headers.get("connection")]).toEqual([413, "close"]);
    expect(refused.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("is guarded at every path of the pages", async () => {
    expect(paths).toEqual(expect.arrayContaining(["/", "/sign-in", "/submissions/:id", "/brand/any"]));
    for (const path of paths) {
      const read = await app.request(OWN + path, { headers: { accept: "text/html" } });
      expect([path, read.headers.get("content-security-policy")]).toEqual([
        path,
        expect.stringContaining("default-src 'none'"),
      ]);
      const sent = await post(path, { origin: "https://evil.example" });
      const has = app.routes.some((r) => r.path === path && (r.method === "POST" || r.method === "ALL"));
      expect([path, sent.status]).toEqual([path, has ? 403 : 404]);
    }
  });

  it("is reported as missing when it does not exist, whatever the request carries", async () => {
    const answer = await fetch(`${test.broker.url}/api/v1/nothing`, { method: "POST", body: "a=1" });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { error: expect.objectContaining({ code: "not_found" }) },
    ]);
    expect((await post("/brand/none", { origin: "https://evil.example" })).status).toBe(404);
  });
});
