import { describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { FAILING, useRemote } from "./webapp-proxy.ts";

const test = useRemote();
const { start, graded } = test;
const rows = () => test.broker.records.db.selectFrom("webapp_submissions").selectAll().execute();
const told = () => until(async () => (await rows()).every(({ told: done, news }) => done === news));
const atWebapp = async () =>
  (await test.webapp.records.db.selectFrom("submissions").selectAll().orderBy("number").execute()).map(
    ({ state, score }) => [state, score],
  );

describe("while the webapp", () => {
  it.each(FAILING)(
    "%s, submitting continues, and it receives everything afterwards, once",
    async (_, way) => {
      const { client } = await start({ times: { freshMs: 60_000 } });
      test.between.way = () => way;
      await graded(client, 0.25);
      await graded(client, 0.5);
      expect(await atWebapp()).toEqual([]);
      test.between.way = () => "through";
      await told();
      expect(await atWebapp()).toEqual([
        ["graded", 0.25],
        ["graded", 0.5],
      ]);
    },
  );

  it("is silent, the first grade waits until a timeout, and later ones do not wait", async () => {
    const { client } = await start({
      // A busy machine needs time to check the key first, within the same limit.
      times: { freshMs: 60_000, promptTimeoutMs: 3_000, callMs: 3_000, awayMs: 60_000 },
    });
    test.between.way = () => "silence";
    await graded(client);
    const before = test.between.seen.filter((request) => request.startsWith("POST")).length;
    await graded(client);
    // Waiting clients ask no more; only the outbox retries.
    expect(before).toBeGreaterThanOrEqual(1);
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toHaveLength(2);
  });

  it("loses its answers, nothing is opened or graded twice", async () => {
    const { client } = await start({ times: { freshMs: 60_000 } });
    test.between.way = (method) => (method === "GET" ? "through" : "answer lost");
    await graded(client, 0.75);
    await until(async () => (await atWebapp())[0]?.[0] === "graded");
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toEqual([["graded", 0.75]]);
  });

  it("does not list its submissions, a lost answer may open one twice, of which one is graded", async () => {
    const { client } = await start({ times: { freshMs: 60_000 } });
    let lost = 0;
    test.between.way = (method, path) => {
      // As the original, which has no such route.
      if (path.startsWith("/api/submissions?")) return { status: 404, body: "<h1>Not found</h1>" };
      return method === "POST" && lost++ === 0 ? "answer lost" : "through";
    };
    await graded(client, 0.75);
    await told();
    expect((await atWebapp()).map(([state]) => state).sort()).toEqual(["graded", "submitted"]);
  });
});

describe("a grade", () => {
  it("reaches the webapp although the broker was restarted first, with a key that no record reveals", async () => {
    const { client, key } = await start({ times: { freshMs: 60_000 } });
    test.between.way = () => "cut";
    await graded(client);
    const [waiting] = await rows();
    expect(waiting?.sealed_key).toBeTruthy();
    expect(JSON.stringify(waiting)).not.toContain(key);
    await test.broker.restart();
    test.between.way = () => "through";
    await told();
    expect(await atWebapp()).toEqual([["graded", 1]]);
    expect(await rows()).toMatchObject([{ sealed_key: null }]);
  });
});
