import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { type AnsweringProxy, type Foreign, SIGN_IN, startAnsweringProxy } from "./answering-proxy.ts";

const PORTALS: [string, Foreign][] = [
  ["a page to sign in", SIGN_IN],
  ["a redirect to one", { status: 302, headers: { location: "http://portal.example/?a=1" } }],
  ["status 511", { ...SIGN_IN, status: 511 }],
];

describe("the client behind something that answers in the broker's place", { timeout: 60_000 }, () => {
  let broker: TestBroker;
  let proxy: AnsweringProxy;
  let folder: string;
  beforeAll(async () => {
    broker = await startBroker();
    proxy = await startAnsweringProxy();
    folder = await mkdtemp(join(tmpdir(), "crowdai-foreign-"));
  });
  afterAll(async () => {
    await broker?.close();
    await proxy?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    proxy.answer = null;
    proxy.change = null;
  });

  const run = (...args: string[]) =>
    runCli(args, {
      cwd: folder,
      env: {
        HOME: folder,
        CROWDAI_CONFIG_DIR: join(folder, ".config"),
        CROWDAI_BROKER: broker.broker.url,
        CROWDAI_API_KEY: broker.key,
        CROWDAI_CHALLENGE: "test",
        HTTP_PROXY: proxy.url,
      },
    });

  it.each(PORTALS)("says to sign in to the network, for %s", async (_name, portal) => {
    for (const what of [/./, /\/api\//]) {
      proxy.answer = (asked) => (what.test(asked) ? portal : undefined);
      for (const args of [["challenges"], ["whoami"], ["submit", "--json", '{"score":1}']]) {
        const { code, stderr } = await run(...args);
        expect(code).toBe(5);
        expect(stderr).toMatch(/error\[(not_a_broker|proxy_refused)\]/);
        expect(stderr).toContain("If your network asks you to sign in, do that first.");
      }
    }
  });

  it.each(PORTALS)(
    "keeps a sealed submission whose upload gets %s, and sends it later",
    async (_name, portal) => {
      await writeFile(join(folder, "p.csv"), String(Math.random()));
      const spool = (await mkdtemp(join(folder, "spool-"))) as string;
      const seal = async () => (await run("submit", "p.csv", "--spool", spool)).stdout.trim();
      const ids = [await seal(), await seal()];
      const sync = async () => {
        const { code, stdout } = await run("sync", spool, "--format", "json");
        const { results } = JSON.parse(stdout) as { results: { id: string; outcome: string }[] };
        return { code, results: results.map(({ id, outcome }) => [id, outcome]) };
      };
      proxy.answer = (asked) => (asked.startsWith("PUT ") ? portal : undefined);
      expect(await sync()).toEqual({ code: 5, results: ids.map((id) => [id, "not_sent"]) });
      proxy.answer = () => portal;
      expect(await sync()).toEqual({ code: 5, results: ids.map((id) => [id, "not_sent"]) });
      proxy.answer = null;
      expect(await sync()).toEqual({ code: 0, results: ids.map((id) => [id, "accepted"]) });
    },
  );

  it("continues to watch an accepted submission after the network has asked to sign in", async () => {
    let asked = 0;
    proxy.answer = (what) => (/\/events$/.test(what) && asked++ < 2 ? SIGN_IN : undefined);
    expect(await run("submit", "--json", '{"score":0.5}')).toMatchObject({ code: 0 });
    expect(asked).toBeGreaterThan(2);
  });

  it("reads the answers of a newer broker, whatever fields they have besides", async () => {
    proxy.change = (_path, json) => withMore(json);
    for (const args of [
      ["challenges"],
      ["challenge"],
      ["limits"],
      ["submit", "--json", '{"score":0.5}'],
      ["submissions"],
      ["leaderboard"],
      ["whoami"],
    ])
      expect(await run(...args)).toMatchObject({ code: 0 });
  });

  it("names the version that is needed for an answer that it does not understand", async () => {
    const answer = (version: string) => (path: string, json: unknown) =>
      path === "/healthz"
        ? { ...(json as object), version }
        : path.endsWith("/challenges")
          ? { challenges: [{ id: "test", rounds: "many" }] }
          : json;
    proxy.change = answer("99.1.0");
    const newer = await run("challenges");
    expect(newer.code).toBe(1);
    expect(newer.stderr).toMatch(/understand the broker's answer: unexpected JSON at challenges\.0\.\w+\.\n/);
    expect(newer.stderr).toContain("The broker has version 99.1.0, this client 0.");
    expect(newer.stderr).toContain("Install crowdai 99.1.0 or newer.");
    proxy.change = answer("0.0.1");
    expect((await run("challenges")).stderr).toContain("Use crowdai 0.0.1, or ask the operator to upgrade");
  });

  it("shows an error of a newer broker as it is", async () => {
    const error = { code: "moon_phase", fault: "moon", message: "The moon is full.", next: null };
    const body = JSON.stringify({ error });
    proxy.answer = (what) =>
      what.includes("/api/")
        ? { status: 418, headers: { "content-type": "application/json" }, body }
        : undefined;
    const { code, stderr } = await run("whoami");
    expect(code).toBe(1);
    expect(stderr).toContain("The moon is full.");
  });
});

/** Adds a field to each object that has named fields already, as a newer broker may. */
function withMore(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withMore);
  if (typeof json !== "object" || json === null) return json;
  // The columns of a leaderboard have the organizer's names, and numbers.
  const fields = Object.entries(json).map(([name, value]) => [
    name,
    name === "columns" && !Array.isArray(value) ? value : withMore(value),
  ]);
  return Object.fromEntries([...fields, ["a_newer_field", { of: ["a newer broker"] }]]);
}
