import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../lib/root.ts";

const page = readFileSync(join(root, "docs/guarantees.md"), "utf8");
const rows = page.split("\n").filter((line) => line.startsWith("| ") && !/^\| (promise|---)/.test(line));

describe("the guarantees", () => {
  it.each(rows)("each name the tests that prove them: %s", (row) => {
    const tests = [...row.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, path]) => path as string);
    expect(tests.length).toBeGreaterThan(0);
    for (const path of tests) expect(existsSync(join(root, path)), path).toBe(true);
  });

  it("name commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const named = [...page.matchAll(/`npm run ([\w-]+)/g)].map(([, name]) => name as string);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });
});
