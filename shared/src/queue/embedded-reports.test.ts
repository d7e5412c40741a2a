import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../protocol/job.ts";
import { numberOf, reportOf } from "./contract/samples.ts";
import { createEmbeddedReports } from "./embedded-reports.ts";

/** Until each of 12 tries of a report that always fails. */
const RETRIES_MS = [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000];

describe("reports in one process", () => {
  let reports: ReturnType<typeof createEmbeddedReports>;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    reports = createEmbeddedReports();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function receive(apply: (report: Report) => Promise<void> = async () => {}, signal?: AbortSignal) {
    const stop = new AbortController();
    const seen: Report[] = [];
    const receiver = { seen, stop: () => stop.abort(), ended: false };
    const work = async (report: Report) => {
      seen.push(report);
      await apply(report);
    };
    void reports.receive(work, signal ?? stop.signal).then(() => {
      receiver.ended = true;
    });
    return receiver;
  }

  function send(report: Report) {
    const sent: { outcome: unknown } = { outcome: "pending" };
    reports.add(report).then(
      () => {
        sent.outcome = "applied";
      },
      (error) => {
        sent.outcome = error instanceof Error ? error.message : "not an error";
      },
    );
    return sent;
  }

  it("wait for a receiver as long as it takes", async () => {
    const sent = send(reportOf("s", 1));
    await pass(60_000);
    expect(sent.outcome).toBe("pending");
    const receiver = receive();
    await pass(0);
    expect([sent.outcome, receiver.seen.length]).toEqual(["applied", 1]);
  });

  it("are applied as they come, also after a rest", async () => {
    const receiver = receive();
    for (const number of [1, 2, 3]) {
      const sent = send(reportOf("s", number));
      await pass(0);
      expect(sent.outcome).toBe("applied");
    }
    expect(receiver.seen.map(numberOf)).toEqual([1, 2, 3]);
  });

  it("of a start that its end follows are one", async () => {
    const receiver = receive();
    const about = { submission: "s", attempt: 1, delivery: 1, grader: "g" };
    const started = send({ ...about, type: "started" });
    await pass(14);
    expect([started.outcome, receiver.seen]).toEqual(["pending", []]);
    const outcome = { ok: false, code: "rejected", message: "no", evaluator_version: "1" } as const;
    const finished = send({ ...about, type: "finished", organiser_log: "", seconds: 1, outcome });
    await pass(0);
    expect([started.outcome, finished.outcome]).toEqual(["applied", "applied"]);
    expect(receiver.seen.map(({ type }) => type)).toEqual(["finished"]);
  });

  it("are tried 12 times, after longer and longer pauses, and then rejected to their grader", async () => {
    const times: number[] = [];
    receive(async (report) => {
      if (numberOf(report) !== 1) return;
      times.push(Date.now());
      throw new Error("never");
    });
    const [first, second] = [send(reportOf("s", 1)), send(reportOf("s", 2))];
    const total = RETRIES_MS.reduce((sum, ms) => sum + ms, 0);
    await pass(total - 1);
    expect([first.outcome, second.outcome]).toEqual(["pending", "pending"]);
    await pass(1);
    expect([first.outcome, second.outcome]).toEqual(["never", "applied"]);
    expect(times.slice(1).map((time, at) => time - times[at]!)).toEqual(RETRIES_MS);
  });

  it("are tried again soon after one that needed long", async () => {
    let fails = 5;
    const receiver = receive(async () => {
      if (fails-- > 0) throw new Error("busy");
    });
    send(reportOf("s", 1));
    send(reportOf("s", 2));
    await pass(10 + 20 + 40 + 80 + 159);
    fails = 1;
    await pass(1);
    expect(receiver.seen.map(numberOf)).toEqual([1, 1, 1, 1, 1, 1]);
    await pass(320);
    const tries = receiver.seen.length;
    fails = 1;
    send(reportOf("s", 3));
    await pass(0);
    expect(receiver.seen).toHaveLength(tries + 1);
    await pass(10);
    expect(receiver.seen).toHaveLength(tries + 2);
  });

  it("that a receiver cannot apply go to another", async () => {
    const broken = receive(async () => {
      throw new Error("no records");
    });
    const healthy = receive();
    const sent = send(reportOf("s", 1));
    await pass(10);
    expect([broken.seen.length, healthy.seen.length, sent.outcome]).toEqual([1, 1, "applied"]);
  });

  it("do not go to a receiver that stopped, even if it failed meanwhile", async () => {
    const gate = Promise.withResolvers<void>();
    const receiver = receive(() => gate.promise);
    const sent = send(reportOf("s", 1));
    await pass(0);
    receiver.stop();
    await pass(0);
    expect([receiver.seen.length, receiver.ended]).toEqual([1, false]);
    gate.reject(new Error("closed"));
    await pass(60_000);
    expect([receiver.seen.length, receiver.ended, sent.outcome]).toEqual([1, true, "pending"]);
    const stopped = receive(undefined, AbortSignal.abort());
    send(reportOf("other", 1));
    await pass(60_000);
    expect([receiver.seen.length, stopped.seen.length, stopped.ended]).toEqual([1, 0, true]);
    const next = receive();
    await pass(0);
    expect([next.seen.length, sent.outcome]).toEqual([2, "applied"]);
  });

  it("are rejected when the queue is closed, and leave no timer", async () => {
    const receiver = receive(async () => {
      throw new Error("busy");
    });
    const sent = [send(reportOf("s", 1)), send(reportOf("s", 2))];
    await pass(5);
    expect(vi.getTimerCount()).toBe(1);
    reports.close();
    await pass(0);
    sent.push(send(reportOf("s", 3)));
    await pass(0);
    expect(sent.map(({ outcome }) => outcome)).toEqual(Array(3).fill("The queue is closed."));
    expect([vi.getTimerCount(), receiver.ended, receiver.seen.length]).toEqual([0, true, 1]);
  });
});
