import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createTerminal } from "../../terminal/terminal.ts";
import { createProgressView } from "./show-progress.ts";

/** What is written to standard error for one progress. */
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

describe("what a waiting submission shows", () => {
  it("is its place, the expected start and the graders", () => {
    const expectedAt = new Date(Date.now() + 20_200).toISOString();
    expect(shown({ ...waiting, place: 3, expectedAt, graders: 2 })).toBe(
      "Waiting for a grader, place 3 in line, expected to start in 20 s, 2 graders",
    );
    expect(shown({ ...waiting, place: 1, expectedAt: "2020-01-01T00:00:00Z", graders: 1 })).toBe(
      "Waiting for a grader, next in line, expected to start now, 1 grader",
    );
    expect(shown(waiting)).toBe("Waiting for a grader");
  });

  it("is why nothing goes on, when nothing does", () => {
    const reason = "no grader serves iris since 14:02 UTC";
    expect(shown({ ...waiting, place: 2, reason, graders: 0 })).toBe(
      `Waiting for a grader, place 2 in line: ${reason}`,
    );
  });
});
