import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../../protocol/job.ts";
import { numberOf, reportOf } from "../contract/samples.ts";
import type { Client } from "./reconnecting-connection.ts";
import { readReports } from "./report-reader.ts";
import { READ_REPORTS, STOP_READING } from "./report-scripts.ts";
import { createScriptedRedis } from "./testing/scripted-redis.ts";

describe("the reader of reports", () => {
  const stop = { now: () => {} };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(async () => {
    stop.now();
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  /** A reader of reports that are in Redis from the beginning, or are added later. */
  function start({ apply = async (_: Report) => {}, reports = 0, stopped = false } = {}) {
    const redis = createScriptedRedis();
    const client = redis.redis();
    const stopping = new AbortController();
    stop.now = () => stopping.abort();
    if (stopped) stopping.abort();
    const entries: [id: string, text: string][] = [];
    const server = { mine: 1 as unknown, readFails: false, deleteFails: false };
    const calls: unknown[][] = [];
    const logged: string[] = [];
    const note = (about: object) => void logged.push((about as { event: string }).event);
    const add = (number: number) => entries.push([`${number}-0`, JSON.stringify(reportOf("s", number))]);
    for (let number = 1; number <= reports; number++) add(number);
    redis.answer(READ_REPORTS, (args) => {
      calls.push(["renew", ...args]);
      if (server.mine instanceof Error) throw server.mine;
      return server.mine;
    });
    redis.answer(STOP_READING, (args) => {
      calls.push(["stop", ...args]);
    });
    redis.answer("xdel", (args) => {
      calls.push(["delete", ...args.slice(1)]);
      if (server.deleteFails) throw new Error("no Redis");
      for (const id of args) entries.splice(0, entries.length, ...entries.filter(([one]) => one !== id));
    });
    redis.answer("xread", async (args) => {
      calls.push(["read", ...args]);
      if (server.readFails) throw new Error("ERR no");
      const from = Number.parseInt(String(args.at(-1)), 10);
      const found = () => entries.filter(([id]) => Number.parseInt(id, 10) > from);
      for (let waited = 1; waited < 500; waited += 10) {
        await new Promise((resolve) => setTimeout(resolve, waited === 1 ? 1 : 10));
        if (found().length > 0) break;
      }
      const news = found().map(([id, text]) => [id, ["s", "s", "r", text]]);
      return news.length === 0 ? null : [["stream", news]];
    });
    const connection = {
      ...{ connected: true, connectionNumber: 1, lastError: null, close() {} },
      use: <T>(work: (client: Client) => Promise<T>) => work(client),
    };
    const applied: number[] = [];
    const state = { ended: false };
    void readReports({
      ...{ redis: redis.redis, connection, base: "{x}", stopping: stopping.signal },
      log: { info: note, warn: note, error: note },
      async apply(report) {
        await apply(report);
        applied.push(numberOf(report));
      },
    }).then(() => {
      state.ended = true;
    });
    const of = (name: string) => calls.filter(([one]) => one === name);
    return { redis, server, calls, of, logged, add, entries, applied, state, connection, stop: stop.now };
  }

  it("applies reports in order and deletes them", async () => {
    const { applied, of, entries, add } = start({ reports: 2 });
    await pass(1);
    expect([applied, of("delete").flatMap(([, ...ids]) => ids), entries]).toEqual([
      [1, 2],
      ["1-0", "2-0"],
      [],
    ]);
    expect(of("read")[0]).toEqual(["read", "COUNT", 200, "BLOCK", 500, "STREAMS", "{x}:reports", "0-0"]);
    add(3);
    await pass(10);
    expect([applied, entries]).toEqual([[1, 2, 3], []]);
  });

  it("continues after the latest report while others are being applied", async () => {
    const ends: (() => void)[] = [];
    const { of } = start({ reports: 2, apply: () => new Promise((resolve) => ends.push(resolve)) });
    await pass(1);
    expect(of("read").map((call) => call.at(-1))).toEqual(["0-0", "2-0"]);
    for (const end of ends) end();
  });

  it("discards reports that are invalid", async () => {
    const { entries, add, applied, logged } = start();
    entries.push(["1-0", "{not json"], ["2-0", "{}"]);
    add(3);
    await pass(10);
    expect([applied, entries, logged]).toEqual([[3], [], ["report_invalid", "report_invalid"]]);
  });

  it("renews its lease every second", async () => {
    const { of } = start();
    await pass(1);
    const [, me] = of("renew")[0]!;
    expect(of("renew")).toEqual([["renew", me, 5000]]);
    await pass(900);
    expect(of("renew")).toHaveLength(1);
    await pass(601);
    expect(of("renew")).toHaveLength(2);
    await pass(60_000);
    expect(of("renew").length).toBeGreaterThan(30);
    expect(of("renew").length).toBeLessThan(45);
  });

  it("reads nothing while another is the reader, and asks every second", async () => {
    const { server, of, applied, add } = start();
    await pass(1);
    server.mine = 0;
    await pass(1500);
    const reads = of("read").length;
    const renewals = of("renew").length;
    add(1);
    await pass(3000);
    expect([of("read").length - reads <= 1, of("renew").length - renewals]).toEqual([true, 3]);
    expect(applied).toEqual([]);
    server.mine = 1;
    await pass(1000);
    expect(applied).toEqual([1]);
  });

  it("applies nothing after its lease, which it could not renew", async () => {
    const { server, add, applied, logged } = start();
    await pass(1);
    server.mine = new Error("no Redis");
    await pass(1700);
    expect(logged).toContain("report_read_failed");
    // Until its lease ends, it applies what it reads.
    await pass(4000);
    add(1);
    await pass(2000);
    expect(applied).toEqual([]);
    server.mine = 1;
    await pass(1000);
    expect(applied).toEqual([1]);
  });

  it("lets another try when it could apply nothing for three seconds", async () => {
    let fails = true;
    const { of, applied, server, calls } = start({
      reports: 1,
      apply: async () => {
        if (fails) throw new Error("no records");
      },
    });
    await pass(3000);
    expect(of("stop")).toEqual([]);
    await pass(1000);
    // It waits for two seconds before it may become the reader again.
    await pass(900);
    expect(calls.at(-1)).toEqual(["stop", of("renew")[0]![1]]);
    fails = false;
    server.mine = 1;
    await pass(2000);
    expect([applied, of("stop").length]).toEqual([[1], 1]);
  });

  it("forgets what it had read when another became the reader", async () => {
    const ends: (() => void)[] = [];
    const { server, entries, applied } = start({
      reports: 2,
      apply: () => new Promise((resolve) => ends.push(resolve)),
    });
    await pass(1);
    server.mine = 0;
    await pass(3000);
    ends[0]!();
    // The other has applied them.
    entries.length = 0;
    server.mine = 1;
    await pass(3000);
    expect([applied, ends.length]).toEqual([[1], 1]);
  });

  it("ends at once while there are no reports, and reads nothing when it is to end already", async () => {
    const idle = start();
    await pass(1000);
    idle.stop();
    await pass(0);
    expect([idle.state.ended, idle.logged, idle.of("delete")]).toEqual([true, [], []]);
    expect(idle.of("stop")).toEqual([["stop", idle.of("renew")[0]![1]]]);
    const ended = start({ stopped: true });
    await pass(0);
    expect([ended.state.ended, ended.of("read"), ended.redis.clients[1]?.disconnected]).toEqual([
      true,
      [],
      true,
    ]);
  });

  it("reads a thousand ahead at most", async () => {
    const ends: (() => void)[] = [];
    const { of, applied, add } = start({
      reports: 1000,
      apply: () => new Promise((resolve) => ends.push(resolve)),
    });
    await pass(900);
    add(1001);
    await pass(3000);
    expect(of("read")).toHaveLength(1);
    expect(of("renew").length).toBeGreaterThan(2);
    ends[0]!();
    await pass(1);
    expect([applied, of("read").length]).toEqual([[1], 2]);
    stop.now();
    ends[1]!();
  });

  it("deletes again what it could not delete", async () => {
    const { server, of, entries } = start({ reports: 1 });
    server.deleteFails = true;
    await pass(450);
    expect(of("delete")).toEqual(Array(3).fill(["delete", "1-0"]));
    server.deleteFails = false;
    await pass(200);
    expect([of("delete").length, entries]).toEqual([4, []]);
    await pass(5000);
    expect(of("delete")).toHaveLength(4);
  });

  it("reads no more often than it deletes while what it applied cannot be deleted, and returns at once", async () => {
    const { server, of, add, applied } = start({ reports: 1 });
    server.deleteFails = true;
    await pass(3000);
    expect(of("read").length).toBeLessThanOrEqual(of("delete").length);
    add(2);
    await pass(400);
    expect(applied).toEqual([1, 2]);
  });

  it("tries a read that failed again, and warns only while it is connected", async () => {
    const { server, logged, connection, of, redis } = start();
    server.readFails = true;
    await pass(250);
    expect([logged, of("read").length]).toEqual([["report_read_failed", "report_read_failed"], 2]);
    connection.connected = false;
    await pass(200);
    expect([logged.length, of("read").length]).toEqual([2, 3]);
    connection.connected = true;
    redis.answer("xread", () => {
      redis.clients[1]!.emit("close");
      throw new Error("ERR no");
    });
    await pass(180);
    expect(logged).toHaveLength(2);
  });

  it("replaces a connection on which a read does not end", async () => {
    const { redis } = start();
    redis.answer("xread", () => new Promise(() => {}));
    await pass(2049);
    expect(redis.clients).toHaveLength(2);
    await pass(1);
    expect(redis.clients).toHaveLength(3);
  });

  it("ends when the report that it applies is applied, and then returns its lease", async () => {
    const ends: (() => void)[] = [];
    const {
      state,
      calls,
      applied,
      stop: end,
      entries,
      redis,
      logged,
    } = start({
      reports: 2,
      apply: () => new Promise((resolve) => ends.push(resolve)),
    });
    await pass(1);
    end();
    await pass(1000);
    expect([state.ended, applied]).toEqual([false, []]);
    ends[0]!();
    await pass(1);
    expect([state.ended, applied, entries.map(([id]) => id)]).toEqual([true, [1], ["2-0"]]);
    expect(calls.slice(-2).map(([name]) => name)).toEqual(["delete", "stop"]);
    expect([redis.clients[1]?.disconnected, redis.clients.length, logged]).toEqual([true, 2, []]);
  });

  it("ends although Redis does not answer", async () => {
    const { state, server, redis, stop: end } = start({ reports: 1 });
    server.deleteFails = true;
    redis.answer(STOP_READING, () => {
      throw new Error("no Redis");
    });
    await pass(100);
    end();
    await pass(1000);
    expect(state.ended).toBe(true);
  });
});
