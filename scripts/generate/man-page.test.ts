import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { onPath } from "../lib/find-program.ts";
import { root } from "../lib/root.ts";
import { manPage } from "./man-page.ts";

const page = join(root, "cli/crowdai.1");

test("names every command, the exit codes and the variables", () => {
  for (const part of [
    ".SS crowdai submit",
    ".SS crowdai doctor",
    ".B \\-\\-min\\-score",
    ".B CROWDAI_API_KEY",
  ])
    expect(manPage()).toContain(part);
});

test("has no line that roff would take for an instruction by accident", () => {
  const instructions = manPage().matchAll(/^[.'](\S*)/gm);
  expect([...new Set(Array.from(instructions, ([, name]) => name))].sort()).toEqual(
    ["B", "I", "PP", "SH", "SS", "TH", "TP", "br"].sort(),
  );
});

test.runIf(onPath("man") && onPath("groff"))("is shown by man without warnings", () => {
  const env = { ...process.env, MANWIDTH: "80", LC_ALL: "C.UTF-8" };
  const { stdout, stderr, status } = spawnSync("man", ["--warnings", "-l", page], { env, encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  expect(stdout).toContain("crowdai leaderboard [options] [id]");
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});
