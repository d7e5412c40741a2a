import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { findTool, findTools } from "./find-tools.ts";

let folder: string;
let folders: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-tools-"));
  folders = ["first", "second"].map((name) => join(folder, name));
  for (const one of folders) mkdirSync(one);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function add(path: string, mode: number): void {
  writeFileSync(join(folder, path), "#!/bin/sh\n");
  chmodSync(join(folder, path), mode);
}

it("a program is found in the first folder that has it, if it can be executed", () => {
  expect(findTool("bwrap", folders)).toBeNull();
  add("second/bwrap", 0o755);
  expect(findTool("bwrap", folders)).toBe(join(folder, "second/bwrap"));
  add("first/bwrap", 0o644);
  expect(findTool("bwrap", folders)).toBe(join(folder, "second/bwrap"));
  chmodSync(join(folder, "first/bwrap"), 0o755);
  expect(findTool("bwrap", folders)).toBe(join(folder, "first/bwrap"));
});

it("programs are the system's own, whatever the grader's PATH names", () => {
  add("first/sh", 0o755);
  add("first/crowdai-no-such-program", 0o755);
  vi.stubEnv("PATH", folders[0]);
  expect(findTool("sh")).toMatch(/^(\/usr)?\/bin\/sh$/);
  expect(findTool("crowdai-no-such-program")).toBeNull();
  vi.unstubAllEnvs();
});

it("bubblewrap and perl are both needed, and the missing one is named", () => {
  const finds = (names: string[]) => (name: string) => (names.includes(name) ? `/usr/bin/${name}` : null);
  expect(findTools(finds(["bwrap", "perl"]))).toEqual({ bwrap: "/usr/bin/bwrap", perl: "/usr/bin/perl" });
  expect(findTools(finds(["perl"]))).toEqual({ missing: "bubblewrap is not installed" });
  expect(findTools(finds(["bwrap"]))).toEqual({ missing: "perl is not installed" });
});
