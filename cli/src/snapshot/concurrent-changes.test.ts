import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";

let project: Project;
let busyWriter: ChildProcess | undefined;
beforeEach(() => {
  project = makeProject();
  project.write("train.py", "print(1)\n");
  for (let n = 0; n < 10; n++) project.write(`many/f${n}.py`, `print(${n})\n`.repeat(50));
  project.git("add", ".");
  project.git("commit", "-qm", "first");
});
afterEach(async () => {
  if (busyWriter?.kill("SIGKILL")) await once(busyWriter, "close");
  busyWriter = undefined;
  await project[Symbol.asyncDispose]();
});

/** Starts a program that runs `body` in the project, over and over, while snapshots are taken. */
async function keepRunning(body: string): Promise<void> {
  const program = `const fs = require("node:fs"); let n = 0; console.log("begun"); for (;;) { n++; ${body} }`;
  busyWriter = spawn(process.execPath, ["-e", program], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(busyWriter.stdout!, "data");
}

/**
 * Takes snapshots and expects each to be complete: git reads its tree, and each file has the reported size.
 */
async function takeSome(
  check: (files: Map<string, { text: string }>) => void = () => {},
  some = 5,
): Promise<string[]> {
  const notes: string[] = [];
  for (let n = 0; n < some; n++) {
    const snapshot = await project.take();
    const files = project.files(snapshot);
    expect(snapshot.files.map(({ path, size }) => [path, size])).toEqual(
      snapshot.files.map(({ path }) => [path, files.get(path)?.text.length]),
    );
    expect(files.size).toBe(snapshot.files.length);
    check(files);
    notes.push(...snapshot.notes);
  }
  return notes;
}

describe.skipIf(missing("git"))("a snapshot of files that keep changing", () => {
  it("has one version of a file that never stops growing, and notes that it changed", async () => {
    // Large enough that other processes run while it is being read.
    const begun = 40 * 1024 * 1024;
    project.write("train.log", Buffer.alloc(begun, "x"));
    await keepRunning(
      `fs.appendFileSync("train.log", "x"); if (n % 100000 === 0) fs.truncateSync("train.log", ${begun});`,
    );
    // On a busy machine the writer may rest while the file is read: that snapshot has nothing to note.
    const notes: string[] = [];
    for (let n = 0; n < 20 && notes.length === 0; n++) notes.push(...(await takeSome(undefined, 1)));
    expect(notes).toEqual([
      "train.log changed every time it was read; the snapshot has one of its versions.",
    ]);
  });

  it("has one version of files that shrink and are replaced", async () => {
    await keepRunning(`
      fs.writeFileSync("train.py", n % 2 ? "a".repeat(300_000) : "b");
      fs.writeFileSync("next", n % 2 ? "c".repeat(200_000) : "d".repeat(100_000));
      fs.renameSync("next", "many/f0.py");
    `);
    await takeSome((files) => {
      expect(files.get("many/f0.py")?.text).toMatch(/^(c{200000}|d{100000})$/);
      expect(files.get("train.py")?.text).toMatch(/^(a*|b)$/);
    });
  });

  it("has the files that exist while paths turn into files, folders, links and pipes", async () => {
    execFileSync("mkfifo", [join(project.home, "pipe")]);
    await keepRunning(`
      for (const name of ["many/f1.py", "many/f2.py", "many/f3.py", "comes"]) {
        fs.rmSync(name, { recursive: true, force: true });
        if (n % 4 === 0) fs.writeFileSync(name, "file");
        if (n % 4 === 1) { fs.mkdirSync(name); fs.writeFileSync(name + "/inside", "inside"); }
        if (n % 4 === 2) fs.symlinkSync("/etc/passwd", name);
        if (n % 4 === 3) fs.linkSync(${JSON.stringify(join(project.home, "pipe"))}, name);
      }
    `);
    await takeSome((files) => {
      const come = [...files].filter(([path]) => /^many\/f[123]\.py|^comes/.test(path));
      expect(come.map(([, { text }]) => text)).toEqual(
        come.map(() => expect.stringMatching(/^(file|inside|\/etc\/passwd|print.*|)$/s)),
      );
      expect(files.get("train.py")?.text).toBe("print(1)\n");
    });
  });

  it("refuses a file that grows beyond the limit, without reading all of it", async () => {
    project.write("huge.bin", "");
    await keepRunning(`fs.truncateSync("huge.bin", n % 2 ? 2 ** 40 : 0);`);
    for (let n = 0; n < 10; n++)
      await project.take({ caps: { maxBytes: 1_000_000 } }).catch((error) => {
        expect(error).toMatchObject({ code: "code_too_large" });
        expect(error.message).toContain("huge.bin");
      });
  });
});
