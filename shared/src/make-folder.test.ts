import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeFolder } from "./make-folder.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-make-folder-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("makes a folder and those above it, with their mode, and leaves those that exist", () => {
  for (const path of ["a/b/c", "a/b", "a/b/c/d"]) makeFolder(join(folder, path), 0o700);
  for (const path of ["a", "a/b/c", "a/b/c/d"]) expect(statSync(join(folder, path)).mode & 0o777).toBe(0o700);
  makeFolder("/");
});

it("returns the first folder that it made", () => {
  expect(makeFolder(join(folder, "b/c/d"))).toBe(join(folder, "b"));
  expect(makeFolder(join(folder, "b/c/e"))).toBe(join(folder, "b/c/e"));
  expect(makeFolder(join(folder, "b/c"))).toBeUndefined();
});

it("throws where a file is in the way", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => makeFolder(join(folder, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(join(folder, "file/x"))).toThrow(/^ENOTDIR: .*mkdir/);
  expect(() => makeFolder(join(folder, "file/x/y"))).toThrow("ENOTDIR");
});

it.runIf(process.platform === "linux")("throws where a file system takes no folders", () => {
  expect(() => makeFolder("/proc/x")).toThrow("ENOENT");
  expect(() => makeFolder("/proc/self/x/y")).toThrow("ENOENT");
});
