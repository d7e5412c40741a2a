import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../lib/root.ts";
import { SLOWEST_FILES } from "./longest-first.ts";
import { testFiles } from "./projects.ts";

describe("SLOWEST_FILES", () => {
  it("names only files that exist", () => {
    expect(SLOWEST_FILES.filter((path) => !existsSync(join(root, `${path}.test.ts`)))).toEqual([]);
  });
});

describe("projects", () => {
  it("hold each test file in exactly one of them on Node.js", async () => {
    const { unit, suite, large, "packed-client": packed } = testFiles(false);
    const all = await filesOf(
      ["{shared,grader,broker,cli,scripts,test}/**/*.test.{ts,tsx}"],
      unit.exclude.slice(0, 2),
    );
    const each = [unit, suite, large, packed].map(({ include, exclude }) => filesOf(include, exclude));
    expect((await Promise.all(each)).flat().sort()).toEqual(all.sort());
  });

  it("name no pattern that matches nothing", async () => {
    const { suite } = testFiles(false);
    const matches = suite.include.map(async (pattern) =>
      (await filesOf([pattern], [])).length > 0 ? [] : [pattern],
    );
    expect((await Promise.all(matches)).flat()).toEqual([]);
  });

  it("keep tests that need a service or a program out of the unit tests", async () => {
    const { include, exclude } = testFiles(false).unit;
    const asksForProgram: string[] = [];
    for (const file of await filesOf(include, exclude))
      if (/skipIf\((missing|withoutService)\(/.test(await readFile(join(root, file), "utf8")))
        asksForProgram.push(file);
    expect(asksForProgram).toEqual([]);
  });

  it("leave out on Bun only what tests the scripts", async () => {
    const onNode = Object.values(testFiles(false)).map(({ include, exclude }) => filesOf(include, exclude));
    const onBun = Object.values(testFiles(true)).map(({ include, exclude }) => filesOf(include, exclude));
    const both = new Set((await Promise.all(onBun)).flat());
    const left = (await Promise.all(onNode)).flat().filter((file) => !both.has(file));
    expect(left.filter((file) => !file.startsWith("scripts/"))).toEqual([]);
  });
});

async function filesOf(include: readonly string[], exclude: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob([...include], { cwd: root, exclude: [...exclude] })) files.push(file);
  return [...new Set(files)];
}
