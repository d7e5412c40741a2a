import { describe, expect, it } from "vitest";
import { canTransition, isFinal, STATES, type SubmissionState } from "./submission.ts";

const FINAL: SubmissionState[] = ["graded", "failed", "cancelled"];

describe("a submission's state", () => {
  it("is final when it is graded, failed or cancelled", () => {
    expect(STATES.filter(isFinal)).toEqual(FINAL);
  });

  it("never changes once it is final", () => {
    for (const from of FINAL)
      for (const to of STATES) expect(canTransition(from, to), `${from} → ${to}`).toBe(false);
  });

  it("may change to failed or cancelled from every state that is not final", () => {
    for (const from of STATES.filter((state) => !isFinal(state))) {
      expect(canTransition(from, "failed")).toBe(true);
      expect(canTransition(from, "cancelled")).toBe(true);
    }
  });

  it("follows the order of grading, and returns to the queue when its grader is lost", () => {
    expect(canTransition("initiated", "submitted")).toBe(true);
    expect(canTransition("submitted", "grading")).toBe(true);
    expect(canTransition("grading", "graded")).toBe(true);
    expect(canTransition("grading", "submitted")).toBe(true);
  });

  it.each([
    ["initiated", "grading"],
    ["initiated", "graded"],
    ["submitted", "initiated"],
    ["grading", "initiated"],
    ["submitted", "submitted"],
  ] as const)("does not go from %s to %s", (from, to) => {
    expect(canTransition(from, to)).toBe(false);
  });
});
