import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderVersion } from "./folder-version.ts";
import { createTestFolder } from "./testing/test-folder.ts";

const FILES = {
  "challenge.json": "{}",
  "evaluate.py": "1",
  "private/answers.csv": "2",
  "public/train.csv": "3",
};

async function version(dir: string): Promise<string> {
  const found = await folderVersion(dir);
  expect(found.problems).toEqual([]);
  return found.version;
}

describe("the version of a challenge folder", () => {
  it("is the same for equal folders, whatever the order and times of their files", async () => {
    const one = await createTestFolder(FILES);
    const other = await createTestFolder(Object.fromEntries(Object.entries(FILES).reverse()));
    await utimes(join(other, "evaluate.py"), 0, 0);
    expect(await version(other)).toBe(await version(one));
    expect(await version(one)).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each<[string, (dir: string) => Promise<unknown>]>([
    ["challenge.json", (dir) => writeFile(join(dir, "challenge.json"), "[]")],
    ["the evaluator", (dir) => writeFile(join(dir, "evaluate.py"), "9")],
    ["the answers", (dir) => writeFile(join(dir, "private/answers.csv"), "9")],
    ["the name of a file", (dir) => rename(join(dir, "evaluate.py"), join(dir, "evaluator.py"))],
    ["the folder of a file", (dir) => rename(join(dir, "private/answers.csv"), join(dir, "answers.csv"))],
    ["the number of files", (dir) => writeFile(join(dir, "model.bin"), "")],
    [
      "a folder named public deeper down",
      async (dir) => {
        await mkdir(join(dir, "private/public"));
        await writeFile(join(dir, "private/public/a"), "");
      },
    ],
  ])("changes with %s", async (_, change) => {
    const dir = await createTestFolder(FILES);
    const before = await version(dir);
    await change(dir);
    expect(await version(dir)).not.toBe(before);
  });

  it.each<[string, (dir: string) => Promise<unknown>]>([
    ["the public files", (dir) => writeFile(join(dir, "public/train.csv"), "9")],
    ["the loss of public/", (dir) => rm(join(dir, "public"), { recursive: true })],
    ["hidden files", (dir) => writeFile(join(dir, ".DS_Store"), "9")],
    [
      "what Python leaves behind",
      async (dir) => {
        await mkdir(join(dir, "__pycache__"));
        await writeFile(join(dir, "__pycache__/evaluate.cpython-313.pyc"), "9");
      },
    ],
    [
      "a link to nothing that then points to nothing else",
      async (dir) => {
        await symlink("nowhere", join(dir, ".link"));
      },
    ],
  ])("does not change with %s", async (_, change) => {
    const dir = await createTestFolder(FILES);
    const before = await version(dir);
    await change(dir);
    expect(await version(dir)).toBe(before);
  });

  it("follows a link to a file elsewhere, and stops at a circular link", async () => {
    const elsewhere = await createTestFolder({ "answers.csv": "1" });
    const dir = await createTestFolder({
      answers: { link: join(elsewhere, "answers.csv") },
      self: { link: "self" },
      up: { link: "." },
    });
    const before = await version(dir);
    await writeFile(join(elsewhere, "answers.csv"), "2");
    expect(await version(dir)).not.toBe(before);
  });

  it("differs for names that contain the separator", async () => {
    const one = await createTestFolder({ "a\nb": "", c: "" });
    const other = await createTestFolder({ a: "", "b\nc": "" });
    expect(await version(one)).not.toBe(await version(other));
  });
});
