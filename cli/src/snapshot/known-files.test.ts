import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";
import { readStatCache } from "./store/stat-cache.ts";
import type { Snapshot } from "./take-snapshot.ts";

let project: Project;
beforeEach(async () => {
  project = makeProject();
  project.write("train.py", "print(1)\n");
  project.write("src/model.py", "x = 1\n");
  project.git("add", ".");
  project.git("commit", "-qm", "first");
  await settle();
});
afterEach(() => project[Symbol.asyncDispose]());

function cachePath(): string {
  const key = createHash("sha256").update(project.folder).digest("hex").slice(0, 32);
  return join(project.env.CROWDAI_CONFIG_DIR!, "code", key, "file-stats");
}

/** Takes snapshots until all files and folders are known, and none has to be read again. */
async function settle(): Promise<Snapshot> {
  for (;;) {
    const snapshot = await project.take();
    const known = readStatCache(cachePath());
    const folders = new Set(["", ...snapshot.files.map(({ path }) => path.replace(/\/?[^/]*$/, ""))]);
    const isKnown = known && [...known.files.values()].every(({ fingerprint }) => fingerprint !== "");
    if (isKnown && known.folders.size === folders.size) return snapshot;
    await setTimeout(60);
  }
}

const texts = (snapshot: Snapshot) =>
  Object.fromEntries([...project.files(snapshot)].map(([path, { text }]) => [path, text]));

describe("a snapshot of known files", () => {
  it("has a change that left size and time as they were", async () => {
    const path = join(project.folder, "train.py");
    const { atime, mtime, size } = statSync(path);
    writeFileSync(path, "print(2)\n");
    utimesSync(path, atime, mtime);
    expect(statSync(path)).toMatchObject({ mtime, size });
    expect(texts(await project.take())).toEqual({ "train.py": "print(2)\n", "src/model.py": "x = 1\n" });
  });

  it("has another file of the same size and time that was moved to its place", async () => {
    const [path, other] = [join(project.folder, "train.py"), join(project.home, "other.py")];
    writeFileSync(other, "print(3)\n");
    const { atime, mtime } = statSync(path);
    utimesSync(other, atime, mtime);
    renameSync(other, path);
    expect(texts(await project.take())["train.py"]).toBe("print(3)\n");
  });

  it("has a change to a file whose time is in the future, as after the clock was set back", async () => {
    const path = project.write("later.py", "a = 1\n");
    const future = new Date(Date.now() + 3_600_000);
    utimesSync(path, future, future);
    await project.take();
    await project.take();
    expect(readStatCache(cachePath())!.files.get("later.py")!.fingerprint).toBe("");
    writeFileSync(path, "a = 2\n");
    utimesSync(path, future, future);
    expect(texts(await project.take())["later.py"]).toBe("a = 2\n");
  });

  it("reads all files again if what is known is damaged or of an older release", async () => {
    const { tree } = await project.take();
    const path = cachePath();
    const { files } = readStatCache(path)!;
    const damaged = readFileSync(path);
    damaged[damaged.indexOf("train.py")] = 0x54;
    const rows = [...files].map(([name, { fingerprint, size }]) => [name, fingerprint, size]);
    for (const content of [damaged, JSON.stringify({ version: 2, tree, files: rows }), ""]) {
      writeFileSync(path, content);
      const snapshot = await project.take();
      expect(snapshot).toMatchObject({ tree, bytes: 15, dirty: "no" });
      expect(readStatCache(path)?.tree).toBe(tree);
    }
  });

  it("has the files of its own moment if several are taken at once", async () => {
    const { tree } = await project.take();
    project.write("src/model.py", "x = 2\n");
    const taken = await Promise.all([project.take(), project.take(), project.take()]);
    for (const snapshot of taken) expect(texts(snapshot)["src/model.py"]).toBe("x = 2\n");
    project.write("src/model.py", "x = 1\n");
    expect((await settle()).tree).toBe(tree);
  });

  it("leaves out new names that collide with known ones, or are those of secrets", async () => {
    project.write("SRC/model.py", "x = 2\n");
    project.write("src/.env", "KEY=1\n");
    const snapshot = await project.take();
    // Capital letters come first, in this snapshot as in one that knows nothing.
    expect(Object.keys(texts(snapshot))).toEqual(["SRC/model.py", "train.py"]);
    expect(snapshot.leftOut.map(({ path }) => path)).toEqual(["src/.env", "src/model.py"]);
    rmSync(cachePath());
    expect(await project.take()).toMatchObject({ tree: snapshot.tree, leftOut: snapshot.leftOut });
    rmSync(join(project.folder, "SRC"), { recursive: true });
    expect(Object.keys(texts(await project.take()))).toEqual(["src/model.py", "train.py"]);
  });

  it("has the files of a repository that was made in a folder of tracked files once", async () => {
    execFileSync("git", ["init", "-q", join(project.folder, "src")], { env: project.env });
    const { files } = await project.take();
    expect(files.map(({ path }) => path)).toEqual(["src/model.py", "train.py"]);
  });

  it.skipIf(missing("mkfifo"))("names a pipe that appears in a known folder, every time", async () => {
    const pipe = join(project.folder, "src/pipe");
    execFileSync("mkfifo", [pipe]);
    const left = [{ path: "src/pipe", reason: "a pipe, socket or device" }];
    for (let i = 0; i < 3; i++) {
      expect((await project.take()).leftOut).toEqual(left);
      await setTimeout(60);
    }
    rmSync(pipe);
    expect((await project.take()).leftOut).toEqual([]);
  });
});
