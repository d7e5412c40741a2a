import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../lib/root.ts";
import { inOrder, SLOWEST_FILES } from "./longest-first.ts";
import { ONE_RUNTIME, testFiles } from "./projects.ts";

describe("SLOWEST_FILES", () => {
  it("names only files that exist", () => {
    expect(SLOWEST_FILES.filter((path) => !existsSync(join(root, `${path}.test.ts`)))).toEqual([]);
  });

  it("come first in their project, whose files stay together", () => {
    const file = (name: string, path: string) => ({
      project: { name },
      moduleId: `/crowdai/${path}.test.ts`,
    });
    const files = [
      file("unit", "cli/src/quick"),
      file("suite", "broker/test/quick"),
      file("unit", "cli/src/client/http/slow-answer"),
      file("large", "broker/test/code/memory"),
      file("suite", "broker/test/webapp/remote"),
      file("suite", "test/uploads/uploads"),
    ];
    expect(inOrder(files).map(({ moduleId }) => moduleId.split("/").at(-1))).toEqual([
      ...["memory.test.ts", "uploads.test.ts", "remote.test.ts", "quick.test.ts"],
      ...["slow-answer.test.ts", "quick.test.ts"],
    ]);
  });
});

describe("projects", () => {
  it("hold each test file in exactly one of them on Node.js, except those that only Bun runs", async () => {
    const { unit, suite, large, "packed-client": packed } = testFiles(false);
    const all = await filesOf(
      ["{shared,grader,broker,cli,scripts,test}/**/*.test.{ts,tsx}"],
      unit.exclude.slice(0, 2),
    );
    const each = [unit, suite, large, packed].map(({ include, exclude }) => filesOf(include, exclude));
    const onlyOnBun = await filesOf(filesUnderOne("bun"), []);
    expect([...(await Promise.all(each)).flat(), ...onlyOnBun].sort()).toEqual(all.sort());
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

  it("leave out on Bun only what tests the scripts, and what one runtime tests", async () => {
    const { onNode, onBun } = await filesOfEach();
    const left = onNode.filter((file) => !onBun.includes(file));
    const allowed = await filesOf(filesUnderOne("node"), []);
    expect(left.filter((file) => !file.startsWith("scripts/")).sort()).toEqual(allowed.sort());
  });
});

describe("ONE_RUNTIME", () => {
  it("leaves out nothing when a file is run by hand", () => {
    for (const onBun of [false, true]) {
      const { exclude } = testFiles(onBun, { underBoth: false }).suite;
      expect(exclude.filter((pattern) => filesUnderOne("node").includes(pattern))).toEqual([]);
      expect(exclude.filter((pattern) => filesUnderOne("bun").includes(pattern))).toEqual([]);
    }
  });

  it("names only files that exist, with tests beside each that run under both runtimes", async () => {
    const { onNode, onBun } = await filesOfEach();
    for (const { files, both } of ONE_RUNTIME) {
      for (const pattern of [...files, ...both])
        for (const path of alternatives(pattern))
          expect([path, existsSync(join(root, path))]).toEqual([path, true]);
      for (const path of both.flatMap(alternatives))
        expect([path, onNode.includes(path), onBun.includes(path)]).toEqual([path, true, true]);
    }
  });
});

const filesUnderOne = (one: string) =>
  ONE_RUNTIME.flatMap(({ runtime, files }) => (runtime === one ? files : []));

async function filesOfEach(): Promise<{ onNode: string[]; onBun: string[] }> {
  const of = async (onBun: boolean) => {
    const each = Object.values(testFiles(onBun)).map(({ include, exclude }) => filesOf(include, exclude));
    return (await Promise.all(each)).flat();
  };
  return { onNode: await of(false), onBun: await of(true) };
}

/** "a/{b,c}.ts" is "a/b.ts" and "a/c.ts". */
function alternatives(pattern: string): string[] {
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(pattern) ?? [];
  return names === undefined ? [pattern] : names.split(",").map((name) => `${before}${name}${after}`);
}

const found = new Map<string, Promise<string[]>>();

/** Reads the folders once for all tests that ask the same. */
function filesOf(include: readonly string[], exclude: readonly string[]): Promise<string[]> {
  const asked = JSON.stringify([include, exclude]);
  const files = found.get(asked) ?? readFiles(include, exclude);
  found.set(asked, files);
  return files;
}

async function readFiles(include: readonly string[], exclude: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob([...include], { cwd: root, exclude: [...exclude] })) files.push(file);
  return [...new Set(files)];
}
