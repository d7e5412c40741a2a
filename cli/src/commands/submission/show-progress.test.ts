import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createTerminal } from "../../terminal/terminal.ts";
import { createProgressView } from "./show-progress.ts";

/** Returns what is written to standard error for a progress. */
function shown(progress: Parameters<ReturnType<typeof createProgressView>["progress"]>[0]): string {
  const stderr = new PassThrough();
  const terminal = createTerminal({
    env: {},
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    format: "text",
    quiet: false,
    color: false,
  });
  const view = createProgressView(terminal);
  view.progress(progress);
  view.stop();
  return String(stderr.read()).trimEnd();
}
const waiting = { stage: "waiting", place: null, reason: null, expectedAt: null, graders: null } as const;

describe("the progress of a waiting submission", () => {
  it("shows the queue position, the expected start and the graders", () => {
    const expectedAt = new Date(Date.now() + 20_200).toISOString();
    expect(shown({ ...waiting, place: 3, expectedAt, graders: 2 })).toBe(
      "Waiting for a grader (position 3 in the queue, starts in 20 s, 2 graders)",
    );
    expect(shown({ ...waiting, place: 1, expectedAt: "2020-01-01T00:00:00Z", graders: 1 })).toBe(
      "Waiting for a grader (next in the queue, starts now, 1 grader)",
    );
    expect(shown(waiting)).toBe("Waiting for a grader");
  });

  it("shows why it cannot be graded", () => {
    const reason = "no grader serves iris since 14:02 UTC";
    expect(shown({ ...waiting, place: 2, reason, graders: 0 })).toBe(
      `Waiting for a grader (position 2 in the queue): ${reason}`,
    );
  });
});

it("shows how much of the bytes was read and sent", () => {
  expect(shown({ stage: "uploading", done: 4_000_000, total: 10_000_000 })).toMatch(
    /^Uploading \S{20} 40% 4 MB of 10 MB$/,
  );
  expect(shown({ stage: "hashing", done: 0, total: 0 })).toMatch(/^Reading .* 100% 0 B of 0 B$/);
});

it("says which stage of a run is going on", () => {
  const grading = { stage: "grading", percent: null, message: null } as const;
  expect(shown({ ...grading, step: null })).toBe("Grading");
  expect(shown({ ...grading, step: "build" })).toBe("Building");
  expect(shown({ ...grading, step: "sample" })).toBe("Running on the sample");
  expect(shown({ ...grading, step: "run", percent: 50 })).toMatch(/^Running on the private input .* 50%$/);
  expect(shown({ ...grading, step: "play", message: "Playing the episodes" })).toBe("Playing");
  expect(shown({ ...grading, step: "play", message: "Episode 2 of 3, step 140, return 31.2" })).toBe(
    "Playing: episode 2 of 3, step 140, return 31.2",
  );
  expect(shown({ ...grading, step: "evaluate", message: "Evaluating" })).toBe("Evaluating the output");
});
