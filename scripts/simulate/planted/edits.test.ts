import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FOUND_BY_SIMULATION, FOUND_BY_TESTS, FOUND_IN_SESSIONS } from "./edits.ts";
import { replaceOnce } from "./plant-in-code.ts";
import { PLANTED_FAULTS } from "./planted-faults.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("planted faults", () => {
  it("are at least 30", () => {
    const names = [...Object.keys(PLANTED_FAULTS), ...Object.keys(FOUND_BY_TESTS)];
    expect(new Set(names).size).toBeGreaterThanOrEqual(30);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(Object.entries({ ...FOUND_BY_SIMULATION, ...FOUND_IN_SESSIONS, ...FOUND_BY_TESTS }))(
    "%s can be planted in the code as it is",
    (_, { edits }) => {
      for (const { file, find, instead } of edits)
        expect(replaceOnce(readFileSync(join(ROOT, file), "utf8"), find, instead)).toContain(instead);
    },
  );

  it.each(Object.entries(FOUND_BY_TESTS))("%s has tests", (_, { test }) => {
    expect(existsSync(join(ROOT, test))).toBe(true);
  });

  it("are listed in the docs", () => {
    const page = readFileSync(join(ROOT, "docs/simulation.md"), "utf8");
    for (const name of Object.keys(PLANTED_FAULTS)) expect(page).toContain(`| ${name} | the simulation |`);
    for (const [name, { test }] of Object.entries(FOUND_BY_TESTS))
      expect(page).toContain(`| ${name} | \`${test}\` |`);
  });

  it("are refused where the code is another one", () => {
    expect(() => replaceOnce("a b a", "a", "c")).toThrow('"a" occurs 2 times');
    expect(() => replaceOnce("b", "a", "c")).toThrow('"a" occurs 0 times');
  });
});
