import { expect, it } from "vitest";
import { findLateReport } from "./checker.ts";

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
