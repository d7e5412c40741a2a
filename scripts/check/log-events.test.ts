import { describe, expect, it } from "vitest";
import { logCallsWithoutEvent } from "./log-events.ts";

describe("the check of log events", () => {
  it("accepts a call whose fields name a snake_case event, on one line or several", () => {
    const text = `log.warn({ event: "queue_refused_jobs", err: error }, "jobs refused (retrying)");
context().log.error(
  { event: "report_failed", id: nameOf(row) },
  "report failed",
);`;
    expect(logCallsWithoutEvent("a.ts", text)).toEqual([]);
  });

  it("names the line of a call without one", () => {
    const text = `const a = 1;\nlog.info({ jobs: 2 }, "queue rebuilt");`;
    expect(logCallsWithoutEvent("a.ts", text)).toEqual(["a.ts:2"]);
  });

  it("refuses an event in another form", () => {
    expect(logCallsWithoutEvent("a.ts", 'log.info({ event: "Queue rebuilt" }, "x");')).toEqual(["a.ts:1"]);
  });
});
