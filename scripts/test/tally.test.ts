import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ResultLine } from "./results-reporter.ts";
import { readTally, summarize } from "./tally.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-tally-"));
afterAll(() => rmSync(folder, { recursive: true }));

function results(...lines: ResultLine[]): string {
  const file = join(folder, `${Math.random()}.ndjson`);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return file;
}

const test = (name: string, state: "passed" | "failed" | "skipped"): ResultLine => ({
  type: "test",
  file: "a.test.ts",
  name,
  state,
});
const planned: ResultLine = { type: "planned", files: ["a.test.ts"] };
const started: ResultLine = { type: "started", file: "a.test.ts" };
const finished: ResultLine = { type: "finished", file: "a.test.ts", error: null };
const ended: ResultLine = { type: "ended", errors: [] };
const SUCCEEDED = { exitCode: 0, endedBy: null };
const FAILED = { exitCode: 1, endedBy: null };

describe("readTally", () => {
  it("counts passed and skipped tests and names the failed ones with their run", () => {
    const tests = [test("adds", "passed"), test("subtracts", "failed"), test("divides", "skipped")];
    const file = results(planned, started, ...tests, test("adds zero", "passed"), finished, ended);
    expect(readTally("bun", file, FAILED)).toEqual({ passed: 2, skipped: 1, failures: ["bun: subtracts"] });
  });

  it("counts a file that did not load as one failure", () => {
    const file = results(planned, started, { ...finished, error: "no such module" }, ended);
    expect(readTally("node", file, FAILED).failures).toEqual(["node: a.test.ts: no such module"]);
  });

  it("counts an error outside of all tests as a failure", () => {
    const file = results(planned, started, finished, { type: "ended", errors: ["socket hang up"] });
    expect(readTally("node", file, FAILED).failures).toEqual(["node: socket hang up"]);
  });

  it("counts an exit code that no test explains, and a run without results, as a failure", () => {
    const file = results(planned, started, test("adds", "passed"), finished, ended);
    expect(readTally("node", file, FAILED).failures).toHaveLength(1);
    expect(readTally("node", file, SUCCEEDED).failures).toEqual([]);
    expect(readTally("node", join(folder, "none"), { exitCode: 137, endedBy: null }).failures).toHaveLength(
      1,
    );
  });

  it("names what ended a run, and the files that had not finished", () => {
    const all: ResultLine = { type: "planned", files: ["a.test.ts", "b.test.ts", "c.test.ts"] };
    const file = results(all, started, test("adds", "passed"), finished, { ...started, file: "b.test.ts" });
    expect(readTally("node", file, { exitCode: 1, endedBy: "its limit of 15 minutes" })).toEqual({
      passed: 1,
      skipped: 0,
      failures: [
        "node: ended by its limit of 15 minutes",
        "node: b.test.ts was running, 0 of its tests had finished",
        "node: c.test.ts was not started",
      ],
    });
  });

  it("names each test that passed only when it was run again", () => {
    const second: ResultLine = {
      type: "test",
      file: "a.test.ts",
      name: "waits",
      state: "passed",
      flaky: "it came late (a.test.ts:3)",
    };
    const file = results(planned, started, test("adds", "passed"), second, finished, ended);
    const tally = readTally("node", file, SUCCEEDED);
    const said = "node: waits: it came late (a.test.ts:3)";
    expect(tally).toEqual({ passed: 2, skipped: 0, failures: [], flaky: [said] });
    expect(summarize([tally, { passed: 1, skipped: 0, failures: [] }]).flaky).toEqual([said]);
  });

  it("ignores a line that was cut off", () => {
    const file = results(planned, started, test("adds", "passed"));
    appendFileSync(file, '{"type":"fin');
    expect(readTally("node", file, FAILED).passed).toBe(1);
  });
});

describe("summarize", () => {
  it("sums all runs into the closing line", () => {
    const { line } = summarize([
      { passed: 3, skipped: 1, failures: [] },
      { passed: 2, skipped: 0, failures: ["types"] },
    ]);
    expect(line).toBe("5 passed, 1 failed, 1 skipped");
  });

  it("leaves out a count of skipped tests when there are none", () => {
    expect(summarize([{ passed: 1, skipped: 0, failures: [] }]).line).toBe("1 passed, 0 failed");
  });

  it("fails when nothing was tested", () => {
    expect(summarize([{ passed: 0, skipped: 4, failures: [] }]).failures).toEqual(["no test was run"]);
  });
});
