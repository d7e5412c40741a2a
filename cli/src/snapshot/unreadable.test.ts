import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { buildSnapshotProgram } from "../../test/build-snapshot-program.ts";
import { makeProject, type Project } from "../../test/project.ts";

/** Root can read everything, so another user takes the snapshot if the tests run as root. */
const OTHER_USER = process.getuid?.() === 0 ? { uid: 1234, gid: 1234 } : {};
const programs = mkdtempSync(join(tmpdir(), "crowdai-snapshot-program-"));
const PROGRAM = join(programs, "take-snapshot.mjs");
beforeAll(async () => {
  await buildSnapshotProgram(PROGRAM);
  chmodSync(programs, 0o755);
});
afterAll(() => rmSync(programs, { recursive: true }));
/** Whether the other user can reach the runtime. */
const canRun = spawnSync(process.execPath, ["-e", "0"], { ...OTHER_USER, cwd: "/" }).status === 0;

let project: Project;
let closed: string[] = [];
beforeEach(() => {
  project = makeProject();
  project.write("train.py", "print(1)\n");
  project.write("src/model.py", "x = 1\n");
  project.write(".gitignore", "*.log\n");
  project.write("ignored.log", "not for others\n");
  project.git("add", ".");
  project.git("commit", "-qm", "first");
  project.write("plan.txt", "not for others\n");
  project.write(".git/info/exclude", "plan.txt\n");
  mkdirSync(project.env.CROWDAI_CONFIG_DIR!);
});
afterEach(() => {
  for (const path of closed) chmodSync(path, 0o700);
  closed = [];
  return project[Symbol.asyncDispose]();
});

function close(path: string): void {
  const full = join(project.folder, path);
  chmodSync(full, 0);
  closed.unshift(full);
}

interface TakenSnapshot {
  files: string[];
  leftOut: Record<string, string>;
  notes: string[];
  error?: { code: string; message: string };
}

function take(folder = project.folder): TakenSnapshot {
  if (OTHER_USER.uid !== undefined) execFileSync("chown", ["-R", "1234:1234", dirname(project.folder)]);
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, folder, project.env.CROWDAI_CONFIG_DIR!], {
    env: project.env,
    encoding: "utf8",
    ...OTHER_USER,
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as TakenSnapshot;
}

describe.skipIf(missing("git") || process.platform === "win32" || !canRun)("a snapshot by a user who", () => {
  it("cannot read a file or a folder leaves it out, with the reason", () => {
    project.write("data/part.csv");
    project.write("model.py");
    close("train.py");
    close("src");
    close("data");
    expect(take()).toEqual({
      files: [".gitignore", "model.py"],
      leftOut: {
        "train.py": "it cannot be read",
        "src/": "the folder cannot be read",
        "src/model.py": "it cannot be read",
        "data/": "the folder cannot be read",
      },
      notes: [],
    });
  });

  it.each([".gitignore", ".git/info/exclude", ".git/info", ".git/config", ".git/index", ".git"])(
    "cannot read %s gets an error, and no ignored file is submitted",
    (path) => {
      close(path);
      const { error, files } = take();
      expect(files).toBeUndefined();
      expect(error?.code).toBe("file_unreadable");
      expect(error?.message).toContain(`${join(project.folder, path)}`);
    },
  );

  it("may list a folder but not enter it has none of its files", () => {
    project.write("listed/c.py");
    project.write("listed/.gitignore", "*.csv\n");
    chmodSync(join(project.folder, "listed"), 0o400);
    closed.unshift(join(project.folder, "listed"));
    expect(take()).toEqual({
      files: [".gitignore", "src/model.py", "train.py"],
      leftOut: { "listed/.gitignore": "it cannot be read", "listed/c.py": "it cannot be read" },
      notes: [],
    });
  });

  it("submits a subfolder sees unreadable folders relative to it", () => {
    project.write("src/locked/a.py");
    close("src/locked");
    const { files, leftOut } = take(join(project.folder, "src"));
    expect([files, leftOut]).toEqual([["model.py"], { "locked/": "the folder cannot be read" }]);
  });

  it("could not read a file before has it now, and not one that became unreadable", () => {
    close("train.py");
    expect(take().files).toEqual([".gitignore", "src/model.py"]);
    chmodSync(join(project.folder, "train.py"), 0o600);
    close("src/model.py");
    expect(take().files).toEqual([".gitignore", "train.py"]);
  });

  it("can neither write the repository nor read its objects has all files", () => {
    close(".git/objects");
    project.write("new.py");
    for (const path of [".git/index", ".git", "src", "."]) {
      chmodSync(join(project.folder, path), 0o500);
      closed.unshift(join(project.folder, path));
    }
    expect(take().files).toEqual([".gitignore", "new.py", "src/model.py", "train.py"]);
  });

  it("cannot read the project gets an error", () => {
    close(".");
    expect(take().error).toEqual({
      code: "file_unreadable",
      message: `${project.folder} cannot be read.`,
    });
  });

  it("cannot read a nested repository leaves it out", () => {
    project.write("inner/a.py");
    execFileSync("git", ["init", "-q", join(project.folder, "inner")], { env: project.env });
    close("inner/.git/config");
    const { files, leftOut } = take();
    expect(files).toEqual([".gitignore", "src/model.py", "train.py"]);
    expect(leftOut).toEqual({ "inner/": "a nested repository that cannot be read" });
  });

  it("cannot read their own settings continues without them, as git does", () => {
    project.write("../home/.config/git/ignore", "train.py\n");
    chmodSync(join(project.home, ".config/git/ignore"), 0);
    chmodSync(join(project.home, ".gitconfig"), 0);
    expect(take().files).toEqual([".gitignore", "src/model.py", "train.py"]);
  });
});
