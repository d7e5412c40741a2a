import { describe, expect, it } from "vitest";
import { isFinal, mayMove, STATES, type SubmissionState } from "./submission.ts";

const FINAL: SubmissionState[] = ["graded", "failed", "cancelled"];

describe("a submission's state", () => {
  it("is final when it is graded, failed or cancelled", () => {
    expect(STATES.filter(isFinal)).toEqual(FINAL);
  });

  it("never changes once it is final", () => {
    for (const from of FINAL)
      for (const to of STATES) expect(mayMove(from, to), `${from} → ${to}`).toBe(false);
  });

  it("may be ended by a failure or a cancellation from every state that is not final", () => {
    for (const from of STATES.filter((state) => !isFinal(state))) {
      expect(mayMove(from, "failed")).toBe(true);
      expect(mayMove(from, "cancelled")).toBe(true);
    }
  });

  it("goes the way of a submission, and back in line when its grader is lost", () => {
    expect(mayMove("initiated", "submitted")).toBe(true);
    expect(mayMove("submitted", "grading")).toBe(true);
    expect(mayMove("grading", "graded")).toBe(true);
    expect(mayMove("grading", "submitted")).toBe(true);
  });

  it.each([
    ["initiated", "grading"],
    ["initiated", "graded"],
    ["submitted", "initiated"],
    ["grading", "initiated"],
    ["submitted", "submitted"],
  ] as const)("does not go from %s to %s", (from, to) => {
    expect(mayMove(from, to)).toBe(false);
  });
});
