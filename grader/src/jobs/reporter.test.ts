import type { Report } from "@crowdai/shared";
import type { JobQueue } from "@crowdai/shared/queue";
import { afterEach, describe, expect, it, vi } from "vitest";
import { silent } from "../testing/running-grader.ts";
import { createReporter } from "./reporter.ts";

const BASE = { submission: "s", attempt: 1, delivery: 1, grader: "g" };
const OUTCOME = { ok: false, code: "rejected", message: "", evaluator_version: "" } as const;

function make(fail = false) {
  const reports: Report[] = [];
  const queue = {
    async report(report: Report) {
      reports.push(report);
      if (fail) throw new Error("the queue is away");
    },
  } as unknown as JobQueue;
  return { reports, reporter: createReporter(queue, BASE, { log: silent, folders: ["/jobs/job-1"] }) };
}

describe("a reporter", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("sends the first progress immediately, then the latest every 100 ms, and the last before the end", async () => {
    vi.useFakeTimers();
    const { reports, reporter } = make();
    for (let percent = 1; percent <= 50; percent++) reporter.event({ type: "progress", percent });
    expect(reports).toMatchObject([{ percent: 1 }]);
    await vi.advanceTimersByTimeAsync(150);
    expect(reports).toMatchObject([{ percent: 1 }, { percent: 50 }]);
    for (let percent = 51; percent <= 99; percent++) reporter.event({ type: "progress", percent });
    await reporter.finished(OUTCOME, "");
    expect(reports).toMatchObject([{ percent: 1 }, { percent: 50 }, { percent: 99 }, { type: "finished" }]);
  });

  it("keeps percentages within 0 and 100", async () => {
    const { reports, reporter } = make();
    reporter.event({ type: "progress", percent: -3 });
    reporter.event({ type: "progress", percent: 250, message: "done" });
    await reporter.finished(OUTCOME, "");
    expect(reports).toMatchObject([{ percent: 0, message: null }, { percent: 100, message: "done" }, {}]);
  });

  it("truncates the log after 1,000 lines, with one notice", async () => {
    const { reports, reporter } = make();
    for (let i = 0; i < 5000; i++) reporter.event({ type: "log", message: `line ${i}` });
    expect(reports).toHaveLength(1001);
    expect(reports.at(-1)).toMatchObject({ type: "log", message: expect.stringContaining("truncated") });
  });

  it("truncates long lines, escapes control characters and removes folders", () => {
    const { reports, reporter } = make();
    reporter.event({ type: "log", message: "x".repeat(100_000) });
    reporter.event({ type: "log", message: "\u001b[2Jgone, see /jobs/job-1/input/p.csv" });
    expect((reports[0] as { message: string }).message.length).toBeLessThan(9000);
    expect(reports[1]).toMatchObject({ message: "\\u001b[2Jgone, see input/p.csv" });
  });

  it("sends nothing after the end", async () => {
    const { reports, reporter } = make();
    await reporter.finished(OUTCOME, "");
    reporter.event({ type: "log", message: "late" });
    await reporter.finished(OUTCOME, "");
    expect(reports).toHaveLength(1);
  });

  it("drops progress, but not the end, while the queue is unreachable", async () => {
    const { reporter } = make(true);
    reporter.started();
    reporter.event({ type: "log", message: "x" });
    await expect(reporter.finished(OUTCOME, "")).rejects.toThrow("away");
  });
});
