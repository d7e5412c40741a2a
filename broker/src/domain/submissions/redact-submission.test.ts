import type { Submission, SubmissionEvent } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { redactEvents, redactSubmission } from "./redact-submission.ts";

const artifact = (name: string, kind: "artifact" | "model" = "artifact") => ({ kind, name });
const ARTIFACTS = [
  artifact("plot.png"),
  artifact("detailed_results.html"),
  artifact("detailed_results.html", "model"),
];
const PRIVATE = {
  ...{ input: {}, sealed_at: "then", selected: true, grading_message: "m", data: {}, member: "Eve" },
  ...{ disqualified: {}, error: {}, media_dropped: "m", run: {}, environment: {} },
};
const submission = (published_at: string | null) =>
  ({
    ...{ id: "s", score: 0.5, rank: 2, message: "mine", publish: true, code: {}, published_at },
    ...{ ...PRIVATE, artifacts: ARTIFACTS },
  }) as unknown as Submission;
const REDACTED = {
  ...Object.fromEntries(Object.keys(PRIVATE).map((name) => [name, null])),
  selected: false,
};

describe("a submission as others see it", () => {
  it("has its result alone", () => {
    expect(redactSubmission(submission(null))).toEqual({
      ...{ id: "s", score: 0.5, rank: 2, published_at: null, ...REDACTED },
      ...{ message: null, publish: false, code: null, artifacts: [] },
    });
  });

  it("has its code, message and files once published, but no detailed results of the evaluator", () => {
    expect(redactSubmission(submission("then"))).toEqual({
      ...{ id: "s", score: 0.5, rank: 2, published_at: "then", ...REDACTED },
      ...{ message: "mine", publish: true, code: {}, artifacts: [ARTIFACTS[0], ARTIFACTS[2]] },
    });
  });

  it("has the events of its progress, without the evaluator's messages", () => {
    const event = (type: string, data: object) => ({ type, data, seq: 1 }) as unknown as SubmissionEvent;
    const events = [
      event("submitted", {}),
      event("grading", { grader: "g" }),
      event("progress", { percent: 5, message: "row 7 is wrong" }),
      event("log", { message: "a line" }),
      event("failed", { message: "wrong" }),
    ];
    expect(redactEvents(events)).toStrictEqual([event("grading", {}), event("progress", { percent: 5 })]);
  });
});
