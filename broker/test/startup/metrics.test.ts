import { once } from "node:events";
import { get } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

let test: TestBroker;
afterEach(() => test.close());

/** Scrapes once and returns the values by `name{labels}`. They may be a second old. */
async function scrape(): Promise<Map<string, number>> {
  const response = await test.fetch("/metrics", { key: null });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

describe("/metrics", () => {
  it("counts accepted, graded and failed submissions, failures by code, and durations", async () => {
    test = await startBroker();
    const client = await test.connect();
    for (const data of [{ score: 1 }, { reject: "row 3" }, { crash: true }])
      await untilEnd(client, (await client.submit({ input: { kind: "inline", data } })).submission.id);
    const found = await until(async () => {
      const now = await scrape();
      const all = now.get('crowdai_submissions_accepted_total{challenge="test"}') === 3;
      return all && now.get('crowdai_graders{challenge="test"}') === 1 ? now : null;
    });
    const ended = (state: string, code: string) =>
      found.get(`crowdai_submissions_ended_total{challenge="test",state="${state}",code="${code}"}`);
    expect([ended("graded", ""), ended("failed", "rejected"), ended("failed", "evaluator_crashed")]).toEqual([
      1, 1, 1,
    ]);
    expect(found.get('crowdai_deliveries_total{challenge="test"}')).toBeGreaterThanOrEqual(3);
    expect(found.get("crowdai_accept_seconds_count")).toBe(3);
    expect(found.get('crowdai_grading_seconds_count{challenge="test"}')).toBe(3);
    expect(found.get("crowdai_sessions")).toBe(1);
    const graders = [...found].filter(([name]) => name.startsWith("crowdai_grader_unhealthy{grader="));
    expect(graders.map(([, value]) => value)).toEqual([0]);
    expect(found.get("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    expect(found.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
  });

  it("shows what waits, for how long, and what is not in the queue yet", async () => {
    test = await startBroker({ withGrader: false });
    const client = await test.connect();
    for (let i = 0; i < 3; i++) await client.submit({ input: { kind: "inline", data: { score: i } } });
    const found = await until(async () => {
      const now = await scrape();
      const oldest = now.get('crowdai_oldest_waiting_seconds{challenge="test"}') ?? 0;
      return oldest > 1 && now.get("crowdai_outbox_dispatch") === 0 ? now : null;
    });
    expect(found.get('crowdai_submissions_submitted{challenge="test"}')).toBe(3);
    expect(found.get('crowdai_submissions_grading{challenge="test"}')).toBe(0);
    expect(found.get('crowdai_graders{challenge="test"}')).toBe(0);
    expect(found.get("crowdai_watched_submissions")).toBe(3);
    expect(found.get("crowdai_queue_stalled")).toBe(0);
  });

  it("without a token, answers this machine only, and not through a proxy on it", async () => {
    test = await startBroker({ withGrader: false });
    const through = (headers: Record<string, string>) => fetch(`${test.broker.url}/metrics`, { headers });
    expect((await through({})).status).toBe(200);
    for (const name of ["x-forwarded-for", "forwarded", "via", "x-forwarded-proto", "cf-connecting-ip"]) {
      const refused = await through({ [name]: "127.0.0.1" });
      expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("METRICS_TOKEN")]);
    }
    // A proxy that adds no header keeps the name that it was asked for.
    const asked = async (host: string) => {
      const { port } = new URL(test.broker.url);
      const [response] = await once(get({ port, path: "/metrics", headers: { host } }), "response");
      response.resume();
      return response.statusCode;
    };
    const names = ["localhost:1", "127.0.0.1", "[::1]:1", "crowdai.example", "127.0.0.1.evil.example"];
    expect(await Promise.all(names.map(asked))).toEqual([200, 200, 200, 403, 403]);
  });

  it("requires the token when one is set", async () => {
    test = await startBroker({ withGrader: false, env: { METRICS_TOKEN: "s3cret" } });
    expect((await test.fetch("/metrics", { key: null })).status).toBe(401);
    expect((await test.fetch("/metrics", { key: "other" })).status).toBe(401);
    expect((await test.fetch("/metrics", { key: "s3cret" })).status).toBe(200);
  });
});
