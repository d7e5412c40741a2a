import { describe, expect, it } from "vitest";
import { findLateReport, twice, unfinished, wrongSlot } from "./checker.ts";

const event = (type: "grading" | "requeued" | "graded", data: object = {}) => ({
  type,
  data: JSON.stringify(data),
});
const LOST = event("requeued", { reason: "the grader was lost" });
const start = (attempt = 1) => event("grading", { attempt, grader: "g" });
const accepted = (delivery: number, number = 1) => [{ number, delivery, accepted: 1 }];

it("a report of an older delivery is found that a broker has applied", () => {
  const applied = [start(), LOST, start(), LOST, start(), event("graded")];
  expect(findLateReport("s", accepted(1), applied)).toBe("s: accepted delivery 1, after 3 had started");
  expect(findLateReport("s", accepted(3), applied)).toBeNull();
});

it("a job that was lost, returned or attempted again is not taken for a late report", () => {
  const returned = event("requeued", { reason: "the grader is stopping" });
  expect(findLateReport("s", accepted(2), [start(), LOST, start(), event("graded")])).toBeNull();
  expect(findLateReport("s", accepted(1), [start(), returned, start(), event("graded")])).toBeNull();
  expect(findLateReport("s", accepted(1, 2), [start(), LOST, start(), returned, start(2)])).toBeNull();
  expect(findLateReport("s", [], [start(), LOST, start()])).toBeNull();
});

const row = (more: Partial<Parameters<typeof wrongSlot>[0] & Parameters<typeof unfinished>[0]> = {}) => ({
  ...{ id: "s", state: "graded" as const, function: "submit", dry_run: 0 as const, error_code: null },
  ...{ outside_status: null, deadline_at: null, ...more },
});
const OUTSIDE = { outside_status: "graded" } as const;

describe("a second grade", () => {
  const grades = [event("graded"), event("graded")];

  it("is found, but an external grader may replace its own", () => {
    expect(twice(row(), [], grades)).toBe("s: 0 accepted attempts, 2 last events");
    expect(twice(row(OUTSIDE), [], grades)).toBeNull();
  });

  it("of a second report is found, also when an external grader graded it afterwards", () => {
    const both = [{ accepted: 1 as const }, { accepted: 1 as const }];
    expect(twice(row(OUTSIDE), both, grades)).toBe("s: 2 accepted attempts, 2 last events");
  });
});

describe("a submission without an end", () => {
  const now = new Date("2026-01-02T00:00:00Z");
  const waiting = { state: "submitted", deadline_at: "2026-01-03T00:00:00.000Z" } as const;
  const OUTSIDE_WAITING = { ...waiting, outside_status: "submitted" } as const;

  it("is found, but an external grader has until the deadline", () => {
    expect(unfinished(row(), now)).toBeNull();
    expect(unfinished(row(waiting), now)).toBe("s is submitted");
    expect(unfinished(row(OUTSIDE_WAITING), now)).toBeNull();
    expect(unfinished(row({ ...OUTSIDE_WAITING, deadline_at: now.toISOString() }), now)).toBe(
      "s is submitted",
    );
  });

  it("is never one that an external grader has and no deadline ends", () => {
    expect(unfinished(row({ ...OUTSIDE_WAITING, deadline_at: null }), now)).toBe("s is submitted");
    expect(unfinished(row({ ...OUTSIDE_WAITING, state: "grading" }), now)).toBe("s is grading");
  });
});

describe("the slot", () => {
  it("of a grade is charged, once", () => {
    expect(wrongSlot(row(), [{ state: "charged" }], [])).toBeNull();
    expect(wrongSlot(row(), [{ state: "reserved" }], [])).toBe("s is graded (null), its slots: reserved");
    expect(wrongSlot(row(), [], [])).toBe("s is graded (null), its slots: none");
    expect(wrongSlot(row(), [{ state: "charged" }, { state: "charged" }], [])).toContain("charged, charged");
  });

  it("is not taken by a call of another function or by a dry run", () => {
    for (const one of [row({ function: "double" }), row({ dry_run: 1 })]) {
      expect(wrongSlot(one, [], [])).toBeNull();
      expect(wrongSlot(one, [{ state: "charged" }], [])).toBe("s is graded (null), its slots: charged");
    }
  });

  it("of an external grader is reserved until its grade, and charged when it is cancelled", () => {
    const waiting = row({ ...OUTSIDE, state: "submitted" });
    const cancelled = row({ ...OUTSIDE, state: "cancelled", error_code: "cancelled" });
    expect(wrongSlot(waiting, [{ state: "reserved" }], [])).toBeNull();
    expect(wrongSlot(row(OUTSIDE), [{ state: "charged" }], [])).toBeNull();
    expect(wrongSlot(cancelled, [{ state: "charged" }], [])).toBeNull();
    expect(wrongSlot({ ...cancelled, outside_status: null }, [{ state: "returned" }], [])).toBeNull();
  });
});
