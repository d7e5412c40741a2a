import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";

let project: Project;
let outside: string;
beforeEach(() => {
  project = makeProject();
  outside = join(project.folder, "..", "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "notes.txt"), "private");
  project.write("train.py");
});
afterEach(() => project[Symbol.asyncDispose]());

describe.skipIf(missing("git"))("a snapshot stays in the folder", () => {
  it("where a tracked folder is now a symbolic link to another place", async () => {
    project.write("data/notes.txt");
    project.git("add", ".");
    project.git("commit", "-qm", "first");
    renameSync(join(project.folder, "data"), join(project.folder, "..", "moved"));
    symlinkSync(outside, join(project.folder, "data"));
    const snapshot = await project.take();
    expect([...project.files(snapshot)].map(([path, { mode }]) => [path, mode])).toEqual([
      ["data", "120000"],
      ["train.py", "100644"],
    ]);
  });

  it("where a submodule is a symbolic link to another repository", async () => {
    execFileSync("git", ["init", "-q"], { cwd: outside, env: project.env });
    project.git("add", ".");
    project.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},sub`);
    symlinkSync(outside, join(project.folder, "sub"));
    const snapshot = await project.take();
    expect([...project.files(snapshot).values()].map(({ text }) => text)).not.toContain("private");
    expect([...project.files(snapshot).keys()]).toEqual(["sub", "train.py"]);
  });
});
