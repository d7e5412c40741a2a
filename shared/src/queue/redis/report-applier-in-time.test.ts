import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../../protocol/job.ts";
import { numberOf, reportOf } from "../contract/samples.ts";
import { createReportApplier } from "./report-applier.ts";

describe("received reports", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start(apply: (report: Report) => Promise<void> = async () => {}, maxRetryMs?: number) {
    const tried: string[] = [];
    const logged: string[] = [];
    const note = (about: object) => void logged.push((about as { event: string }).event);
    const counts = { applied: 0 };
    const applier = createReportApplier({
      apply: (report) => {
        tried.push(`${report.submission} ${numberOf(report)}`);
        return apply(report);
      },
      log: { info: note, warn: note, error: note },
      onApplied: () => counts.applied++,
      ...(maxRetryMs === undefined ? {} : { maxRetryMs }),
    });
    applier.hold(Number.POSITIVE_INFINITY);
    return { applier, tried, logged, counts };
  }
  const startOf = (submission: string, delivery = 1) =>
    ({ ...reportOf(submission, 0), delivery, type: "started" }) as unknown as Report;
  const endOf = (submission: string, delivery = 1) =>
    ({ ...reportOf(submission, 0), delivery, type: "finished" }) as unknown as Report;
  const failing = async () => {
    throw new Error("no records");
  };

  it("are applied in order, those of a submission one after the other", async () => {
    const ends: (() => void)[] = [];
    const { applier, tried, counts } = start(() => new Promise((resolve) => ends.push(resolve)));
    applier.add("1-0", reportOf("s", 1));
    applier.add("2-0", reportOf("s", 2));
    applier.add("3-0", reportOf("t", 1));
    await pass(0);
    expect([tried, applier.size(), applier.newest()]).toEqual([["s 1", "t 1"], 3, "3-0"]);
    ends[0]!();
    await pass(0);
    expect([tried.at(-1), applier.applied(), counts.applied]).toEqual(["s 2", ["1-0"], 1]);
    ends[1]!();
    ends[2]!();
    await pass(0);
    expect([applier.size(), applier.newest(), applier.applied()]).toEqual([0, null, ["1-0", "3-0", "2-0"]]);
    applier.add("4-0", reportOf("s", 3));
    await pass(0);
    expect(tried.at(-1)).toBe("s 3");
  });

  it("that are known are not applied again, also a while after they were deleted", async () => {
    const { applier, tried } = start();
    const add = () => applier.add("1-0", reportOf("s", 1));
    add();
    add();
    await pass(0);
    add();
    expect(applier.newest()).toBeNull();
    applier.forget(["1-0"]);
    expect(applier.applied()).toEqual([]);
    await pass(9999);
    applier.forget([]);
    add();
    await pass(0);
    expect(tried).toEqual(["s 1"]);
    await pass(1);
    applier.add("2-0", null);
    applier.forget(["2-0"]);
    add();
    applier.add("2-0", reportOf("s", 2));
    await pass(0);
    expect(tried).toEqual(["s 1", "s 1"]);
  });

  it("that are invalid count as applied", () => {
    const { applier, counts, tried } = start();
    applier.add("1-0", null);
    expect([applier.applied(), applier.size(), counts.applied, tried]).toEqual([["1-0"], 0, 1, []]);
  });

  it("are listed a thousand at a time once they are applied", () => {
    const { applier } = start();
    for (let i = 0; i < 1001; i++) applier.add(`${i}-0`, null);
    expect(applier.applied()).toHaveLength(1000);
  });

  it("omit a start that is followed by the end of its delivery", async () => {
    const { applier, tried } = start();
    applier.add("1-0", startOf("s"));
    await pass(10);
    expect(tried).toEqual([]);
    applier.add("2-0", endOf("s"));
    await pass(0);
    expect([tried.length, applier.applied()]).toEqual([1, ["1-0", "2-0"]]);
  });

  it("are held back after a time", async () => {
    const { applier, tried } = start();
    applier.hold(performance.now());
    applier.add("1-0", reportOf("s", 1));
    await pass(1000);
    expect(tried).toEqual([]);
    applier.hold(performance.now() + 100);
    await pass(49);
    expect(tried).toEqual([]);
    await pass(1);
    expect(tried).toEqual(["s 1"]);
    await pass(49);
    applier.add("2-0", reportOf("s", 2));
    await pass(0);
    expect(tried).toEqual(["s 1", "s 2"]);
    await pass(1);
    applier.add("3-0", reportOf("s", 3));
    await pass(10);
    expect(tried).toEqual(["s 1", "s 2"]);
  });

  it("are tried again after pauses that double up to a second", async () => {
    const times: number[] = [];
    const { applier, logged } = start(async () => {
      times.push(performance.now());
      throw new Error("no records");
    });
    applier.add("1-0", reportOf("s", 1));
    await pass(5000);
    const pauses = times.map((time, i) => time - (times[i - 1] ?? time));
    expect(pauses.slice(0, 10)).toEqual([0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    expect(logged).toEqual(["report_apply_failed"]);
  });

  it("begin with the shortest pause again after a success", async () => {
    let fails = true;
    const times: number[] = [];
    const { applier } = start(async () => {
      times.push(performance.now());
      if (fails) throw new Error("no records");
    });
    applier.add("1-0", reportOf("s", 1));
    applier.add("2-0", reportOf("s", 2));
    await pass(30);
    fails = false;
    await pass(40);
    expect(times).toHaveLength(5);
    fails = true;
    applier.add("3-0", reportOf("s", 3));
    applier.add("4-0", reportOf("s", 4));
    await pass(10);
    expect(times.slice(5).map((time) => time - times[5]!)).toEqual([0, 10]);
  });

  it("say for how long every attempt has failed", async () => {
    let fails = true;
    const { applier } = start(async () => {
      if (fails) throw new Error("no records");
    });
    await pass(100);
    expect(applier.failingFor()).toBe(0);
    applier.add("1-0", reportOf("s", 1));
    await pass(500);
    expect(applier.failingFor()).toBe(500);
    fails = false;
    applier.add("2-0", reportOf("t", 1));
    await pass(0);
    expect(applier.failingFor()).toBe(0);
    await pass(1000);
    fails = true;
    applier.add("3-0", reportOf("s", 2));
    await pass(100);
    expect(applier.failingFor()).toBe(100);
    applier.clear();
    expect(applier.failingFor()).toBe(0);
  });

  it("are dropped after 40 tries when others succeed, and their submission continues", async () => {
    const { applier, tried, logged } = start(async (report) => {
      if (numberOf(report) < 0) throw new Error("never");
    }, 10);
    applier.add("1-0", reportOf("stuck", -1));
    applier.add("2-0", reportOf("stuck", 1));
    await pass(100);
    applier.add("3-0", reportOf("other", 1));
    await pass(280);
    expect([tried.filter((one) => one === "stuck -1").length, applier.applied()]).toEqual([39, ["3-0"]]);
    await pass(10);
    expect(tried.filter((one) => one === "stuck -1")).toHaveLength(40);
    expect([tried.at(-1), applier.applied()]).toEqual(["stuck 1", ["3-0", "1-0", "2-0"]]);
    expect(logged).toEqual(["report_apply_failed", "report_dropped"]);
  });

  it("are not dropped while none succeeds, nor for what succeeded before", async () => {
    const { applier, tried, logged } = start(async (report) => {
      if (numberOf(report) < 0) throw new Error("never");
    }, 10);
    applier.add("1-0", reportOf("other", 1));
    await pass(0);
    applier.add("2-0", reportOf("stuck", -1));
    await pass(1000);
    expect([applier.size(), logged, tried.length > 60]).toEqual([1, ["report_apply_failed"], true]);
  });

  it("are discarded but for the one that is being applied", async () => {
    const ends: (() => void)[] = [];
    const { applier, tried } = start(() => new Promise((resolve) => ends.push(resolve)));
    applier.add("1-0", reportOf("s", 1));
    applier.add("2-0", reportOf("s", 2));
    await pass(0);
    applier.clear();
    expect([applier.size(), applier.newest()]).toEqual([0, null]);
    let idle = false;
    void applier.idle().then(() => {
      idle = true;
    });
    await pass(100);
    expect(idle).toBe(false);
    ends[0]!();
    await pass(0);
    expect([idle, tried, applier.applied()]).toEqual([true, ["s 1"], ["1-0"]]);
    // Read again, the other is applied.
    applier.add("2-0", reportOf("s", 2));
    await pass(0);
    expect(tried).toEqual(["s 1", "s 2"]);
  });

  it("are discarded in each of their pauses, without another try", async () => {
    const { applier, tried } = start(failing);
    applier.add("1-0", reportOf("s", 1));
    await pass(15);
    expect(tried).toHaveLength(2);
    applier.clear();
    await applier.idle();
    applier.add("2-0", startOf("t"));
    await pass(5);
    applier.clear();
    await pass(15);
    applier.hold(0);
    applier.add("3-0", reportOf("u", 1));
    await pass(10);
    applier.clear();
    applier.hold(Number.POSITIVE_INFINITY);
    await applier.idle();
    await pass(5000);
    expect(tried).toHaveLength(2);
  });

  it("are discarded with a start that has just become redundant", async () => {
    const { applier } = start();
    applier.add("1-0", startOf("s"));
    await pass(5);
    applier.add("2-0", endOf("s"));
    applier.clear();
    await pass(100);
    expect(applier.applied()).toEqual([]);
  });

  it("wait for the one before, also after others were discarded", async () => {
    const ends: (() => void)[] = [];
    const { applier, tried } = start(() => new Promise((resolve) => ends.push(resolve)));
    applier.add("1-0", reportOf("s", 1));
    await pass(0);
    applier.clear();
    applier.add("2-0", reportOf("s", 2));
    await pass(0);
    ends[0]!();
    await pass(0);
    applier.add("3-0", reportOf("s", 3));
    await pass(0);
    expect(tried).toEqual(["s 1", "s 2"]);
    ends[1]!();
    await pass(0);
    expect(tried).toEqual(["s 1", "s 2", "s 3"]);
  });

  it("announce the next one that is applied, or that none was", async () => {
    const { applier } = start();
    let changes = 0;
    const wait = () =>
      void applier.change(1000).then(() => {
        changes++;
      });
    wait();
    await pass(999);
    expect(changes).toBe(0);
    await pass(1);
    expect(changes).toBe(1);
    wait();
    applier.add("1-0", reportOf("s", 1));
    await pass(0);
    expect([changes, vi.getTimerCount()]).toEqual([2, 0]);
  });
});
