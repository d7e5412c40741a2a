import { describe, expect, it } from "vitest";
import { type BenchReport, comparison } from "./report.ts";
import { combine } from "./steady.ts";

const quiet = { other: 0, steal: 0, load: 0 };
const report = (date: string, ms: number, steady = true): BenchReport => ({
  date,
  runtime: "Node.js 26",
  machine: "2 cores",
  floor: { program: 60, line: 0.05, write: 0.3 },
  groups: [
    {
      ...{ name: "accepts", steady, before: quiet, after: quiet, problem: null },
      figures: combine([[{ name: "one", value: ms, unit: "ms" }]]),
    },
  ],
});

describe("two reports side by side", () => {
  it("show the floors, each figure of both, and the difference", () => {
    const lines = comparison(report("2026-11-01", 2), report("2026-11-02", 1.5));
    expect(lines[0]).toMatch(/2026-11-01 +2026-11-02$/);
    expect(lines).toContainEqual(
      expect.stringMatching(/^floor: an empty program +60\.00 +60\.00 ms +\+0 %$/),
    );
    expect(lines.slice(-2)).toEqual(["accepts", expect.stringMatching(/^one +2\.00 +1\.50 ms +-25 %$/)]);
  });

  it("say which figures were not steady", () => {
    expect(comparison(report("2026-11-01", 2, false), report("2026-11-02", 2))).toContain(
      "accepts (not steady)",
    );
  });
});
