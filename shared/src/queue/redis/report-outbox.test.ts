import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../../protocol/job.ts";
import { reportOf } from "../contract/samples.ts";
import type { Client } from "./reconnecting-connection.ts";
import { createReportOutbox } from "./report-outbox.ts";
import { REPORT } from "./report-scripts.ts";
import { createScriptedRedis } from "./testing/scripted-redis.ts";

describe("reports on their way to Redis", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start() {
    const redis = createScriptedRedis();
    const client = redis.redis();
    const state = { fails: false, stopping: false };
    const sent: unknown[][] = [];
    redis.answer(REPORT, (args) => {
      sent.push([...args]);
      if (state.fails) throw new Error("no Redis");
    });
    const closing = new AbortController();
    const logged: object[] = [];
    const note = (about: object) => void logged.push(about);
    const report = createReportOutbox({
      connection: {
        ...{ connected: true, connectionNumber: 1, lastError: null, close() {} },
        use: <T>(work: (client: Client) => Promise<T>) => work(client),
      },
      ...{ base: "{x}", log: { info: note, warn: note, error: note } },
      ...{ stopping: () => state.stopping, closing: closing.signal },
    });
    function send(one: Report) {
      const result = { outcome: "pending" };
      report(one).then(
        () => {
          result.outcome = "sent";
        },
        (error: Error) => {
          result.outcome = error.message;
        },
      );
      return result;
    }
    return { state, sent, send, logged, close: () => closing.abort() };
  }
  const text = (report: Report) => ["s", JSON.stringify(report)];

  it("are sent together, in order", async () => {
    const { send, sent } = start();
    const all = [1, 2].map((number) => send(reportOf("s", number)));
    await pass(0);
    expect(sent).toEqual([[...text(reportOf("s", 1)), ...text(reportOf("s", 2))]]);
    expect(all.map(({ outcome }) => outcome)).toEqual(["sent", "sent"]);
  });

  it("form batches of 200, and of a megabyte", async () => {
    const { send, sent } = start();
    for (let i = 0; i < 201; i++) send(reportOf("s", i));
    await pass(0);
    const large = { ...reportOf("s", 1), message: "x".repeat(600_000) } as Report;
    for (let i = 0; i < 3; i++) send(large);
    await pass(0);
    expect(sent.map(({ length }) => length / 2)).toEqual([200, 1, 2, 1]);
  });

  it("wait while Redis is unreachable, with one warning", async () => {
    const { send, sent, state, logged } = start();
    state.fails = true;
    const one = send(reportOf("s", 1));
    await pass(60_000);
    expect([one.outcome, logged]).toEqual([
      "pending",
      [{ event: "reports_delayed", err: expect.any(Error), reports: 1 }],
    ]);
    expect(sent).toHaveLength(301);
    state.fails = false;
    await pass(200);
    expect(one.outcome).toBe("sent");
  });

  it("wait for five seconds when the graders of the process stop", async () => {
    const { send, state } = start();
    state.fails = true;
    const one = send(reportOf("s", 1));
    await pass(10_000);
    state.stopping = true;
    await pass(5200);
    expect(one.outcome).toBe("pending");
    await pass(200);
    expect(one.outcome).toBe("no Redis");
  });

  it("are refused when the queue is closed, at once", async () => {
    const { send, state, sent, close } = start();
    state.fails = true;
    const one = send(reportOf("s", 1));
    await pass(50);
    close();
    await pass(0);
    expect([one.outcome, sent.length]).toEqual(["no Redis", 2]);
    const later = send(reportOf("s", 2));
    await pass(0);
    expect([later.outcome, sent.length]).toEqual(["The queue is closed.", 2]);
  });

  it("are dropped after 5000 when they are only progress or a log line", async () => {
    const { send, state } = start();
    state.fails = true;
    const all = Array.from({ length: 5000 }, (_, number) => send(reportOf("s", number)));
    const progress = { ...reportOf("s", 1), type: "progress", value: 1 } as unknown as Report;
    const refused = [send(reportOf("s", 1)), send(progress)];
    const started = send({ ...reportOf("s", 1), type: "started" } as unknown as Report);
    await pass(0);
    const message = "Too many reports are waiting for Redis.";
    expect(refused.map(({ outcome }) => outcome)).toEqual([message, message]);
    expect([all[4999]!.outcome, started.outcome]).toEqual(["pending", "pending"]);
  });
});
