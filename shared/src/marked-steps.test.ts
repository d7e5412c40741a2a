import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { armCrashPoints, markedStep } from "./marked-steps.ts";

describe("a marked step", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-points-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Does a step that prints, in a process whose crash file names a point. */
  function run(point: string) {
    const file = join(folder, "point");
    writeFileSync(file, point);
    const script = `
      import { armCrashPoints, markedStep } from ${JSON.stringify(join(import.meta.dirname, "marked-steps.ts"))};
      import { writeSync } from "node:fs";
      armCrashPoints(${JSON.stringify(file)});
      await markedStep("commit.a", async () => void writeSync(1, "done"));
      writeSync(1, " and more");
      await markedStep("commit.a", async () => void writeSync(1, ", twice"));`;
    const path = join(folder, "script.mjs");
    writeFileSync(path, script);
    const { stdout, signal } = spawnSync(process.execPath, [path], { encoding: "utf8" });
    return { stdout, signal, left: existsSync(file) ? readFileSync(file, "utf8") : null };
  }

  it.each([
    ["commit.a before", { stdout: "", signal: "SIGKILL", left: null }],
    ["commit.a after", { stdout: "done", signal: "SIGKILL", left: null }],
    ["commit.a before 1", { stdout: "done and more", signal: "SIGKILL", left: null }],
    ["commit.a after 1", { stdout: "done and more, twice", signal: "SIGKILL", left: null }],
    ["commit.a after 3", { stdout: "done and more, twice", signal: null, left: "commit.a after 1" }],
    ["commit.b after", { stdout: "done and more, twice", signal: null, left: "commit.b after" }],
  ])("ends the process at its point, which is %s", (point, outcome) => {
    expect(run(point)).toEqual(outcome);
  });

  it("that is not armed does its work, and looks for no file", async () => {
    armCrashPoints(undefined);
    expect(await markedStep("commit.a", async () => 7)).toBe(7);
  });
});
