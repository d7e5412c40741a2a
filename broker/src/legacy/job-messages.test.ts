import type { Submission, SubmissionEvent } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { finalMessage, progressMessage } from "./job-messages.ts";

const event = (type: SubmissionEvent["type"], data = {}) =>
  progressMessage({ submission: "abcdefgh", seq: 1, at: "2026-01-01T00:00:00.000Z", type, data });
const graded = (more: Partial<Submission>) =>
  finalMessage({ id: "abcdefgh", state: "graded", data: null, ...more } as Submission);

describe("progress to an older client", () => {
  it.each([
    [-5, 0],
    [12.5, 12.5],
    [250, 100],
  ])("keeps %d percent between 0 and 100", (percent, sent) => {
    expect(event("progress", { percent, message: "fold 3" })).toEqual({
      state: "PROGRESS_UPDATE",
      message: "fold 3",
      data: { percent_complete: sent },
    });
  });

  it("is informational without a percentage, and omitted without a message", () => {
    expect(event("progress", { percent: null, message: "fold 3" })).toMatchObject({
      state: "INFO",
      message: "fold 3",
    });
    expect(event("progress", { percent: null, message: null })).toBeNull();
    expect(event("requeued", { reason: "the grader was lost" })).toMatchObject({ state: "INFO" });
    expect(event("initiated")).toBeNull();
  });
});

describe("the end of a job", () => {
  it("has both spellings of the secondary score, whichever the evaluator returned", () => {
    expect(graded({ score: 1, score_secondary: 2 }).data).toMatchObject({
      score: 1,
      score_secondary: 2,
      secondary_score: 2,
    });
    expect(graded({ score: null, data: { score: 3, secondary_score: 4 } }).data).toMatchObject({
      score: 3,
      score_secondary: 4,
      secondary_score: 4,
    });
  });

  it("is an object, whatever the evaluator returned and however the job ended", () => {
    expect(graded({ score: null, data: [1, 2] }).data).toMatchObject({ data: [1, 2], score: null });
    const failed = { id: "abcdefgh", state: "failed", error: { message: "row 17: unknown id" } };
    expect(finalMessage(failed as Submission)).toEqual({
      state: "ERROR",
      message: "row 17: unknown id",
      data: { score: null, score_secondary: null, secondary_score: null, submission_id: "abcdefgh" },
    });
  });
});
