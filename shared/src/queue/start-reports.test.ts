import { afterEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../protocol/job.ts";
import { delayStart, type SubmissionReports, takeRedundantStart } from "./start-reports.ts";

const about = { submission: "s", attempt: 1, delivery: 1, grader: "g" };
const started: Report = { ...about, type: "started" };
const finished = (delivery = 1): Report => ({
  ...{ ...about, delivery, type: "finished", organiser_log: "", seconds: 0.001 },
  outcome: { ok: false, code: "rejected", message: "no", evaluator_version: "1" },
});
const queue = (...reports: Report[]): SubmissionReports<{ report: Report }> => ({
  items: reports.map((report) => ({ report })),
  wake() {},
});

describe("a start", () => {
  it("followed immediately by the end of its delivery needs no report", async () => {
    const reports = queue(started);
    const held = delayStart(reports);
    reports.items.push({ report: finished() });
    reports.wake();
    await held;
    expect(takeRedundantStart(reports)?.report).toBe(started);
    expect(reports.items.map(({ report }) => report.type)).toEqual(["finished"]);
  });

  it("is delayed only briefly", async () => {
    const reports = queue(started);
    await delayStart(reports);
    expect(takeRedundantStart(reports)).toBeNull();
    expect(reports.items).toHaveLength(1);
  });

  it("of another attempt needs its report", () => {
    const other = { ...finished(), attempt: 2 };
    expect(takeRedundantStart(queue(started, other))).toBeNull();
  });

  it("is needed where it is not the first, or nothing follows", () => {
    expect(takeRedundantStart(queue())).toBeNull();
    expect(takeRedundantStart(queue(finished(), finished()))).toBeNull();
    expect(takeRedundantStart(queue(started))).toBeNull();
  });

  describe("that waits", () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    /** Whether it waits for something, and how many timers it leaves. */
    async function wait(reports: ReturnType<typeof queue>) {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      let over = false;
      const held = delayStart(reports).then(() => {
        over = true;
      });
      await Promise.resolve();
      await Promise.resolve();
      return { held, isOver: () => over };
    }

    it.each([
      ["nothing", queue()],
      ["another report alone", queue(finished())],
      ["a start that another report follows", queue(started, finished())],
    ])("is not %s", async (_, reports) => {
      const { isOver } = await wait(reports);
      expect(isOver()).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("waits until another report comes, and leaves no timer", async () => {
      const reports = queue(started);
      const { held, isOver } = await wait(reports);
      expect(isOver()).toBe(false);
      const { wake } = reports;
      wake();
      await held;
      expect(vi.getTimerCount()).toBe(0);
      expect(reports.wake).not.toBe(wake);
    });

    it("waits 15 ms at most", async () => {
      const { held, isOver } = await wait(queue(started));
      await vi.advanceTimersByTimeAsync(14);
      expect(isOver()).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await held;
    });
  });

  it("is kept when another report comes in between, or the end is of another delivery", () => {
    const progress: Report = { ...about, type: "progress", percent: 5, message: null };
    expect(takeRedundantStart(queue(started, progress, finished()))).toBeNull();
    expect(takeRedundantStart(queue(started, finished(2)))).toBeNull();
  });
});
