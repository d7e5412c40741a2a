import { describe, expect, it } from "vitest";
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

  it("is kept when another report comes in between, or the end is of another delivery", () => {
    const progress: Report = { ...about, type: "progress", percent: 5, message: null };
    expect(takeRedundantStart(queue(started, progress, finished()))).toBeNull();
    expect(takeRedundantStart(queue(started, finished(2)))).toBeNull();
  });
});
