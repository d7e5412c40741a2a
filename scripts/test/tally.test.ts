import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readTally, summarize } from "./tally.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-tally-"));
afterAll(() => rmSync(folder, { recursive: true }));

function report(...files: object[]): string {
  const file = join(folder, `${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ testResults: files }));
  return file;
}

const good = { fullName: "adds", status: "passed" };
const bad = { fullName: "subtracts", status: "failed" };
const left = { fullName: "divides", status: "skipped" };

describe("readTally", () => {
  it("counts passed and skipped tests and names the failed ones with their run", () => {
    const file = report({ name: "a.test.ts", status: "failed", assertionResults: [good, bad, left, good] });
    expect(readTally("bun", file, 1)).toEqual({ passed: 2, skipped: 1, failures: ["bun: subtracts"] });
  });

  it("counts a file that did not load as one failure", () => {
    const file = report({
      name: "a.test.ts",
      status: "failed",
      message: "no such module\n at x",
      assertionResults: [],
    });
    expect(readTally("node", file, 1).failures).toEqual(["node: a.test.ts did not load: no such module"]);
  });

  it("counts an exit code that no test explains, and a run without a report, as a failure", () => {
    const file = report({ name: "a.test.ts", status: "passed", assertionResults: [good] });
    expect(readTally("node", file, 1).failures).toHaveLength(1);
    expect(readTally("node", join(folder, "none.json"), 137).failures).toHaveLength(1);
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
