import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRecords } from "../../src/records/open.ts";
import { createHeartbeats, STALLED_AFTER_MS } from "../../src/startup/heartbeats.ts";
import { createQueueWatch, STALL_MS } from "../../src/startup/queue-watch.ts";
import { REPORTS, readReadiness } from "../../src/startup/readiness.ts";
import { submitWithCode } from "../code/plain-git.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

let test: TestBroker;
beforeEach(async () => {
  test = await startBroker({
    withGrader: false,
    challenges: [{}, { id: "required", code: { capture: "required" } }],
  });
});
afterEach(() => test.close());

const clock = () => new Date();
const calm = { problems: () => new Map<string, string>() };
const moving = { stalled: () => [] };
const catalog = { all: () => new Map() };
const working = () => ({
  records: test.records,
  catalog,
  clock,
  dispatchStalled: () => false,
  storage: async () => "ok",
});
const grader = { grader: "g", challenges: ["test"], concurrency: 1 };
const submitWithoutPush = () =>
  submitWithCode(
    test,
    { commit: "1".repeat(40), tree: "2".repeat(40), files: 1, bytes: 1 },
    { challenge: "required" },
  );
const submit = async () => {
  const client = await test.connect();
  return (await client.submit({ input: { kind: "inline", data: { score: 1 } } })).submission.id;
};

describe("readiness", () => {
  it("is green while everything answers", async () => {
    const response = await test.fetch("/readyz", { key: null });
    expect(response.status).toBe(200);
    const { ready, checks } = (await response.json()) as { ready: boolean; checks: Record<string, string> };
    expect(ready).toBe(true);
    expect(Object.keys(checks).sort()).toEqual([
      "deadlines",
      "line",
      "queue",
      "records",
      "reports",
      "storage",
      "sweeps",
    ]);
    expect(new Set(Object.values(checks))).toEqual(new Set(["ok"]));
  });

  it("is red when the records fail or do not answer", async () => {
    const closed = await openRecords({ dataFolder: `${test.folder}/other`, databaseUrl: undefined });
    await closed.close();
    const broken = await readReadiness({ ...working(), records: closed }, calm, moving);
    expect(broken).toMatchObject({ ready: false, checks: { records: "the records do not answer" } });

    const hung = Object.create(test.records.db, {
      selectFrom: {
        value: () => {
          const chain: object = new Proxy(
            {},
            { get: (_, name) => (name === "executeTakeFirst" ? () => new Promise(() => {}) : () => chain) },
          );
          return chain;
        },
      },
    });
    const silent = await readReadiness(
      { ...working(), records: { ...test.records, db: hung } },
      calm,
      moving,
      20,
    );
    expect(silent).toMatchObject({ ready: false, checks: { records: "the records do not answer" } });
  });

  it("is red when the queue accepts no jobs", async () => {
    const found = await readReadiness({ ...working(), dispatchStalled: () => true }, calm, moving);
    expect(found).toMatchObject({ ready: false, checks: { queue: "the queue accepts no jobs" } });
  });

  it("is red when a submission is more than a minute past its deadline", async () => {
    await submit();
    const later = () => new Date(Date.now() + 30 * 24 * 3600 * 1000);
    const found = await readReadiness({ ...working(), clock: later }, calm, moving);
    expect(found).toMatchObject({
      ready: false,
      checks: { deadlines: "a submission is past its deadline" },
    });
  });

  it("stays green while submissions wait for their participants' code or bytes, however long", async () => {
    let now = 0;
    const queueWatch = createQueueWatch(
      {
        records: test.records,
        catalog: { all: () => new Map([["required", {}]]) } as never,
        graders: { serving: async () => [{ ...grader, challenges: ["required"] }] } as never,
      },
      () => now,
    );
    await submitWithoutPush();
    const client = await test.connect();
    const input = { kind: "file" as const, name: "a.csv", size: 1, sha256: "0".repeat(64) };
    expect((await client.submit({ input })).submission.state).toBe("initiated");
    for (const ms of [0, STALL_MS + 1]) {
      now += ms;
      await queueWatch.check();
    }
    expect(queueWatch.stalled()).toEqual([]);
    const later = () => new Date(Date.now() + 30 * 24 * 3600 * 1000);
    const found = await readReadiness({ ...working(), clock: later }, calm, queueWatch);
    expect(found.ready).toBe(true);
    const metrics = await (await test.fetch("/metrics", { key: null })).text();
    expect(metrics).toContain('crowdai_oldest_waiting_seconds{challenge="required"} 0\n');
    // Code that arrives late does not make it look as if it had waited in the queue.
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const code = test.records.db.updateTable("submission_code").where("challenge", "=", "required");
    await test.records.db.updateTable("submissions").set({ accepted_at: anHourAgo }).execute();
    await code.set({ holds: 0, stored_at: new Date().toISOString() }).execute();
    await until(async () => {
      const scraped = await (await test.fetch("/metrics", { key: null })).text();
      const oldest = /oldest_waiting_seconds\{challenge="required"\} (\S+)/.exec(scraped)?.[1];
      return Number(oldest) > 0 && Number(oldest) < 60;
    });
    await code.set({ holds: 2, stored_at: null }).execute();
    // One that is past its deadline ends as what it is: its code is missing.
    await test.records.db
      .updateTable("submissions")
      .set({ deadline_at: new Date(0).toISOString() })
      .where("challenge", "=", "required")
      .execute();
    await until(async () => {
      const [row] = await test.records.db
        .selectFrom("submissions")
        .select("error_code")
        .where("challenge", "=", "required")
        .execute();
      return row?.error_code === "code_missing";
    });
  });

  it("is red when reports are not applied or a sweep does not run", async () => {
    let now = 0;
    const heartbeats = createHeartbeats(() => now);
    const fail = () => Promise.reject(new Error("no"));
    for (const name of [REPORTS, "deadlines"])
      for (const at of [0, STALLED_AFTER_MS + 1]) {
        now = at;
        await heartbeats.watch(name, fail).catch(() => {});
      }
    const { ready, checks } = await readReadiness(working(), heartbeats, moving);
    expect(ready).toBe(false);
    expect(checks.reports).toBe("applying reports keeps failing");
    expect(checks.sweeps).toBe("deadlines keeps failing");
  });

  it("is red when the queue does not move for a minute although a grader is free", async () => {
    let now = 0;
    let serving = [grader];
    const queueWatch = createQueueWatch(
      {
        records: test.records,
        catalog: { all: () => new Map([["test", {}]]) } as never,
        graders: { serving: async () => serving } as never,
      },
      () => now,
    );
    const pass = async (ms: number) => {
      now += ms;
      await queueWatch.check();
    };
    const [first, second] = [await submit(), await submit()];
    await pass(0);
    await pass(STALL_MS + 1);
    expect(queueWatch.stalled()).toEqual(["test"]);
    expect(await readReadiness(working(), calm, queueWatch)).toMatchObject({
      ready: false,
      checks: { line: expect.stringContaining("test") },
    });

    // Everyone may read it, so a private challenge is not named.
    const hidden = { config: { visibility: { private: true } } } as never;
    const secret = { ...working(), catalog: { all: () => new Map([["test", hidden]]) } };
    expect((await readReadiness(secret, calm, queueWatch)).checks.line).toMatch(/free: a private challenge$/);

    // The grader is busy: waiting behind it is fine, however long it takes.
    await test.records.db
      .updateTable("submissions")
      .set({ state: "grading" })
      .where("id", "=", first)
      .execute();
    await pass(0);
    await pass(10 * STALL_MS);
    expect(queueWatch.stalled()).toEqual([]);

    // It is free again, and the next submission is picked up in time.
    await test.records.db
      .updateTable("submissions")
      .set({ state: "graded" })
      .where("id", "=", first)
      .execute();
    await pass(0);
    await pass(STALL_MS / 2);
    await test.records.db
      .updateTable("submissions")
      .set({ state: "graded" })
      .where("id", "=", second)
      .execute();
    await pass(STALL_MS);
    expect(queueWatch.stalled()).toEqual([]);

    // Without a grader no queue is stalled: participants see that none serves the challenge.
    await submit();
    serving = [];
    await pass(0);
    await pass(10 * STALL_MS);
    expect(queueWatch.stalled()).toEqual([]);
  });
});
