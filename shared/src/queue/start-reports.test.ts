import { describe, expect, it } from "vitest";
import type { Report } from "../protocol/job.ts";
import { holdStart, type ReportLane, takeSaidStart } from "./start-reports.ts";

const about = { submission: "s", attempt: 1, delivery: 1, grader: "g" };
const started: Report = { ...about, type: "started" };
const finished = (delivery = 1): Report => ({
  ...{ ...about, delivery, type: "finished", organiser_log: "", seconds: 0.001 },
  outcome: { ok: false, code: "rejected", message: "no", evaluator_version: "1" },
});
const lane = (...reports: Report[]): ReportLane<{ report: Report }> => ({
  items: reports.map((report) => ({ report })),
  wake() {},
});

describe("a start", () => {
  it("that the end of its delivery follows at once needs no word of its own", async () => {
    const reports = lane(started);
    const held = holdStart(reports);
    reports.items.push({ report: finished() });
    reports.wake();
    await held;
    expect(takeSaidStart(reports)?.report).toBe(started);
    expect(reports.items.map(({ report }) => report.type)).toEqual(["finished"]);
  });

  it("is held back for a moment only", async () => {
    const reports = lane(started);
    await holdStart(reports);
    expect(takeSaidStart(reports)).toBeNull();
    expect(reports.items).toHaveLength(1);
  });

  it("stays when something else comes between, or the end is of another delivery", () => {
    const progress: Report = { ...about, type: "progress", percent: 5, message: null };
    expect(takeSaidStart(lane(started, progress, finished()))).toBeNull();
    expect(takeSaidStart(lane(started, finished(2)))).toBeNull();
  });
});
