import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";

let project: Project;
beforeEach(() => {
  project = makeProject();
  project.write("train.py", "print(1)\n");
  project.write("src/model.py", "x = 1\n");
  project.write(".gitignore", "*.log\nout/\n");
  project.git("add", ".");
  project.git("commit", "-qm", "first");
});
afterEach(() => project[Symbol.asyncDispose]());

/** Takes a snapshot and expects the repository and the user's home folder to be unchanged. */
async function taken(options?: Parameters<Project["take"]>[0]) {
  const before = project.fingerprint();
  const snapshot = await project.take(options);
  expect(project.fingerprint()).toBe(before);
  return { snapshot, files: project.files(snapshot) };
}
const names = (files: Map<string, unknown>) => [...files.keys()];

describe.skipIf(missing("git"))("a snapshot", () => {
  it("has tracked, changed, staged and new files as they are on disk, and no ignored ones", async () => {
    project.write("train.py", "print(2)\n");
    project.write("staged.py");
    project.git("add", "staged.py");
    project.write("new.py");
    project.write("debug.log");
    project.write("out/result.csv");
    rmSync(join(project.folder, "src/model.py"));
    const { snapshot, files } = await taken();
    expect(names(files)).toEqual([".gitignore", "new.py", "staged.py", "train.py"]);
    expect(files.get("train.py")?.text).toBe("print(2)\n");
    expect(snapshot).toMatchObject({ branch: "main", dirty: "yes", head: project.git("rev-parse", "HEAD") });
    expect(snapshot.author).toEqual({ name: "Ada Lovelace", email: "ada@example.org" });
  });

  it("of a clean tree equals its commit, and is not marked dirty", async () => {
    const { snapshot } = await taken();
    expect(snapshot.tree).toBe(project.git("rev-parse", "HEAD^{tree}"));
    expect(snapshot.dirty).toBe("no");
  });

  it("has tracked files even if they are ignored", async () => {
    project.write("kept.log");
    project.git("add", "-f", "kept.log");
    expect(names((await taken()).files)).toContain("kept.log");
  });

  it("respects info/exclude and the user's own ignore file", async () => {
    writeFileSync(join(project.folder, ".git/info/exclude"), "secret-plan.txt\n");
    mkdirSync(join(project.home, ".config/git"), { recursive: true });
    writeFileSync(join(project.home, ".config/git/ignore"), "*.swp\n");
    project.write("secret-plan.txt");
    project.write("a.swp");
    expect(names((await taken()).files)).toEqual([".gitignore", "src/model.py", "train.py"]);
  });

  it("ignores, like git, an ignore file that is a link or a folder", async () => {
    rmSync(join(project.folder, ".gitignore"));
    symlinkSync(join(project.home, "elsewhere"), join(project.folder, ".gitignore"));
    mkdirSync(join(project.home, ".config/git/ignore"), { recursive: true });
    project.write("debug.log");
    expect(names((await taken()).files)).toEqual([".gitignore", "debug.log", "src/model.py", "train.py"]);
  });

  it("works with a detached HEAD", async () => {
    project.git("checkout", "-q", "--detach");
    expect((await taken()).snapshot).toMatchObject({ branch: null, head: project.git("rev-parse", "HEAD") });
  });

  it("works on a branch without commits, and in an empty tree", async () => {
    project.git("checkout", "-q", "--orphan", "fresh");
    expect((await taken()).snapshot).toMatchObject({ head: "unborn", branch: "fresh", dirty: "yes" });
    project.git("rm", "-rfq", ".");
    const { files, snapshot } = await taken();
    expect([files.size, snapshot.tree]).toEqual([0, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"]);
  });

  it("works during a merge or a rebase with conflicts", async () => {
    project.git("checkout", "-qb", "other");
    project.write("train.py", "print('theirs')\n");
    project.git("commit", "-qam", "theirs");
    project.git("checkout", "-q", "main");
    project.write("train.py", "print('ours')\n");
    project.git("commit", "-qam", "ours");
    expect(() => project.git("merge", "other")).toThrow();
    const { files, snapshot } = await taken();
    expect(files.get("train.py")?.text).toContain("<<<<<<<");
    expect(snapshot.dirty).toBe("yes");
    project.git("merge", "--abort");
    expect(() => project.git("rebase", "other")).toThrow();
    expect((await taken()).files.get("train.py")?.text).toContain("<<<<<<<");
  });

  it("works in a linked working tree", async () => {
    const other = join(project.home, "worktree");
    project.git("worktree", "add", "-q", other);
    writeFileSync(join(other, "here.py"), "");
    const { files, snapshot } = await taken({ folder: other });
    expect(names(files)).toContain("here.py");
    expect(snapshot.branch).toBe("worktree");
  });

  it("says that a working tree whose .git points nowhere is taken without git", async () => {
    const other = join(project.home, "worktree");
    project.git("worktree", "add", "-q", other);
    rmSync(join(project.folder, ".git"), { recursive: true });
    for (const folder of [other, join(other, "src")]) {
      const { files, snapshot } = await taken({ folder });
      expect(names(files).join()).toContain("model.py");
      expect(snapshot.notes).toEqual([
        `${other}/.git points to ${project.folder}/.git/worktrees/worktree, which is not a repository. The code is taken without git.`,
      ]);
      expect(snapshot.head).toBe("none");
    }
  });

  it("has the files of submodules by their own rules, and notes one that is not checked out", async () => {
    const library = makeProject();
    library.write("lib.py");
    library.git("add", ".");
    library.git("commit", "-qm", "lib");
    project.git("submodule", "--quiet", "add", library.folder, "vendor/lib");
    project.git("submodule", "--quiet", "add", library.folder, "vendor/absent");
    project.git("commit", "-qm", "submodules");
    project.git("submodule", "--quiet", "deinit", "-f", "vendor/absent");
    project.write("vendor/lib/changed.py");
    const { files, snapshot } = await taken();
    await library[Symbol.asyncDispose]();
    expect(names(files)).toEqual([
      ".gitignore",
      "src/model.py",
      "train.py",
      "vendor/lib/changed.py",
      "vendor/lib/lib.py",
    ]);
    expect(snapshot.leftOut).toContainEqual({
      path: "vendor/absent/",
      reason: "a submodule that is not checked out",
    });
    expect(snapshot.notes.join()).toContain("vendor/lib is a nested repository");
  });

  it("has the files of nested repositories without their .git, and leaves out bare ones", async () => {
    project.write("inner/a.py");
    execFileSync("git", ["init", "-q", join(project.folder, "inner")], { env: project.env });
    execFileSync("git", ["init", "-q", "--bare", join(project.folder, "planted")], { env: project.env });
    mkdirSync(join(project.folder, "broken/.git"), { recursive: true });
    project.write("broken/.git/config", "[core]\n\tfsmonitor = touch /tmp/x\n");
    project.write("broken/b.py");
    const { files, snapshot } = await taken();
    expect(names(files)).toEqual([".gitignore", "broken/b.py", "inner/a.py", "src/model.py", "train.py"]);
    expect(snapshot.leftOut.map(({ path }) => path)).toContain("planted/HEAD");
  });

  it("has the files of a sparse checkout, and counts the rest", async () => {
    project.write("docs/guide.md");
    project.git("add", ".");
    project.git("commit", "-qm", "docs");
    for (const more of [[], ["--sparse-index"]]) {
      project.git("sparse-checkout", "set", "--cone", ...more, "src");
      const { files, snapshot } = await taken();
      expect(names(files)).toEqual([".gitignore", "src/model.py", "train.py"]);
      expect(snapshot.notes.join()).toContain("1 tracked file is outside the sparse checkout");
      expect(snapshot.dirty).toBe(more.length === 0 ? "no" : "unknown");
    }
  });

  it("has files that the index tells git not to look at, says so, and is dirty if they changed", async () => {
    for (const [set, clear] of [
      ["--skip-worktree", "--no-skip-worktree"],
      ["--assume-unchanged", "--no-assume-unchanged"],
    ] as const) {
      project.git("update-index", set, "train.py");
      expect((await taken()).snapshot.dirty).toBe("no");
      project.write("train.py", `print("${set}")\n`);
      project.write(".git/info/exclude", "train.py\n");
      const { snapshot, files } = await taken();
      expect(files.get("train.py")?.text).toBe(`print("${set}")\n`);
      expect(snapshot.files.map(({ path }) => path)).toEqual(names(files));
      expect([snapshot.dirty, ...snapshot.notes]).toEqual([
        "yes",
        "Marked skip-worktree or assume-unchanged, and included as in the working tree: train.py.",
      ]);
      project.git("update-index", clear, "train.py");
      project.git("checkout", "-q", "train.py");
    }
    project.git("update-index", "--skip-worktree", "train.py");
    rmSync(join(project.folder, "train.py"));
    const { snapshot, files } = await taken();
    expect(names(files)).toEqual([".gitignore", "src/model.py"]);
    expect(snapshot.notes).toEqual(["1 tracked file is outside the sparse checkout and is not included."]);
    project.write("later.py");
    project.git("add", "--intent-to-add", "later.py");
    expect(names((await taken()).files)).toContain("later.py");
  });

  it("is dirty if a submodule or a nested repository is", async () => {
    await using library = makeProject();
    library.write("lib.py");
    library.git("add", ".");
    library.git("commit", "-qm", "lib");
    project.git("submodule", "--quiet", "add", library.folder, "lib");
    project.git("commit", "-qm", "submodule");
    expect((await taken()).snapshot.dirty).toBe("no");
    project.write("lib/lib.py", "changed\n");
    expect((await taken()).snapshot.dirty).toBe("yes");
    project.git("-C", "lib", "commit", "-qam", "changed");
    expect((await taken()).snapshot.dirty).toBe("yes");
    project.git("commit", "-qam", "moved");
    expect((await taken()).snapshot.dirty).toBe("no");
    execFileSync("git", ["clone", "-q", library.folder, join(project.folder, "inner")], { env: project.env });
    expect((await taken()).snapshot.dirty).toBe("yes");
  });

  it("works in shallow and partial clones without fetching", async () => {
    for (const how of [["--depth=1"], ["--filter=blob:none"], ["--filter=tree:0"]]) {
      const clone = join(project.home, `clone${how[0]!.replace(/\W/g, "")}`);
      project.git("config", "uploadpack.allowFilter", "true");
      project.git("clone", "-q", ...how, `file://${project.folder}`, clone);
      execFileSync("git", ["remote", "set-url", "origin", "file:///nowhere"], {
        cwd: clone,
        env: project.env,
      });
      const { files, snapshot } = await taken({ folder: clone });
      expect(names(files)).toEqual([".gitignore", "src/model.py", "train.py"]);
      expect(snapshot.dirty).toBe("no");
    }
  });

  it("works with a read-only repository, a locked index, a split index, and SHA-256", async () => {
    writeFileSync(join(project.folder, ".git/index.lock"), "");
    expect(names((await taken()).files)).toHaveLength(3);
    rmSync(join(project.folder, ".git/index.lock"));
    project.git("update-index", "--split-index");
    project.write("tracked.log");
    project.git("add", "-f", "tracked.log");
    expect(names((await taken()).files)).toContain("tracked.log");
    execFileSync("chmod", ["-R", "a-w", project.folder]);
    expect(names((await taken()).files)).toContain("tracked.log");
    execFileSync("chmod", ["-R", "u+w", project.folder]);

    const other = join(project.home, "sha256");
    execFileSync("git", ["init", "-q", "--object-format=sha256", other], { env: project.env });
    writeFileSync(join(other, "a.log"), "a");
    writeFileSync(join(other, ".gitignore"), "*.log");
    execFileSync("git", ["add", "-f", "."], { cwd: other, env: project.env });
    const { files, snapshot } = await taken({ folder: other });
    expect(names(files)).toEqual([".gitignore", "a.log"]);
    expect(snapshot.tree).toHaveLength(40);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "works in a repository of another user, without changing whom git trusts",
    async () => {
      execFileSync("chown", ["-R", "1234:1234", project.folder]);
      expect(() => project.git("status")).toThrow(/dubious ownership/);
      expect(names((await taken()).files)).toHaveLength(3);
      expect(() => project.git("status")).toThrow(/dubious ownership/);
    },
  );

  it("of a subfolder respects the ignore files above it", async () => {
    project.write("src/a.log");
    const { files } = await taken({ folder: join(project.folder, "src") });
    expect(names(files)).toEqual(["model.py"]);
  });

  it("has ignored files that crowdai.json includes, and no tracked files that it excludes", async () => {
    project.write("out/weights.json");
    project.write("out/other.json");
    const { files } = await taken({ include: ["/out/weights.json"], exclude: ["src/"] });
    expect(names(files)).toEqual([".gitignore", "out/weights.json", "train.py"]);
  });
});

describe.skipIf(missing("git"))("a snapshot outside git", () => {
  it("has all files except those in .gitignore and the default excludes", async () => {
    await using loose = makeProject({ git: false });
    for (const path of [
      "a.py",
      "b/c.py",
      "node_modules/x/index.js",
      "b/__pycache__/c.pyc",
      ".venv/bin/python",
      "big.bin",
    ])
      loose.write(path);
    loose.write(".gitignore", "*.bin\n");
    const before = loose.fingerprint();
    const snapshot = await loose.take();
    expect(names(loose.files(snapshot))).toEqual([".gitignore", "a.py", "b/c.py"]);
    expect(snapshot).toMatchObject({ head: "none", branch: null, dirty: "yes" });
    expect(loose.fingerprint()).toBe(before);
    loose.write(".gitignore", "!node_modules/\n");
    expect(names(loose.files(await loose.take()))).toContain("node_modules/x/index.js");
  });
});

describe.skipIf(missing("git"))("a snapshot of unusual files", () => {
  it("keeps links, modes and content, without filters or changed line endings", async () => {
    symlinkSync("/etc/passwd", join(project.folder, "outside"));
    symlinkSync("src", join(project.folder, "folder-link"));
    project.write("run.sh", "#!/bin/sh\r\n");
    chmodSync(join(project.folder, "run.sh"), 0o755);
    project.write(
      ".gitattributes",
      "* text=auto eol=lf ident\n*.bin filter=lfs\n*.txt working-tree-encoding=UTF-16\n",
    );
    project.write("model.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    project.write("id.txt", "$Id$\r\n");
    const { files } = await taken();
    expect(files.get("outside")).toEqual({ mode: "120000", text: "/etc/passwd" });
    expect(files.get("folder-link")).toEqual({ mode: "120000", text: "src" });
    expect(files.get("run.sh")).toEqual({ mode: "100755", text: "#!/bin/sh\r\n" });
    expect(files.get("id.txt")?.text).toBe("$Id$\r\n");
    expect(files.get("model.bin")?.text).toContain("git-lfs");
  });

  it("has names with apostrophes, spaces, umlauts and a leading dash, and leaves out names that do not work everywhere", async () => {
    const odd = ["-rf", "--help", "a b.py", "$(touch x).py", "ü.py", "'.py"];
    for (const name of odd) project.write(name, "");
    for (const name of [
      "new\nline.py",
      "back\\slash",
      "colon:x",
      '"quoted".py',
      "aux.csv",
      "dot.",
      ".GIT/config",
      "git~1",
      "Train.py",
      "SRC/model.py",
    ])
      project.write(name, "");
    writeFileSync(Buffer.concat([Buffer.from(`${project.folder}/`), Buffer.from([0x62, 0xff, 0x64])]), "");
    const { files, snapshot } = await taken();
    const utf8 = names(files).map((name) => Buffer.from(name, "latin1").toString());
    expect(utf8).toEqual(expect.arrayContaining(odd));
    const why = snapshot.leftOut.map(({ reason }) => reason).sort();
    expect(why).toEqual([
      "Windows reserves this name for a device",
      "git reserves this name",
      "git reserves this name",
      "it differs from SRC only in case",
      "it differs from Train.py only in case",
      "its name ends with a dot or a space",
      "its name has a backslash",
      "its name has a colon",
      "its name has a control character",
      'its name has the character ", which Windows does not allow',
      "its name is not UTF-8",
    ]);
  });

  it("leaves out pipes, sockets and unreadable files with a reason, without waiting", async () => {
    execFileSync("mkfifo", [join(project.folder, "pipe")]);
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(project.folder, "socket"), resolve));
    project.git("rm", "-q", "--cached", "train.py");
    rmSync(join(project.folder, "src/model.py"));
    execFileSync("mkfifo", [join(project.folder, "src/model.py")]);
    const { files, snapshot } = await taken();
    await new Promise((resolve) => socket.close(resolve));
    expect(names(files)).toEqual([".gitignore", "train.py"]);
    const told = snapshot.leftOut.filter(({ reason }) => reason === "a pipe, socket or device");
    expect(told.map(({ path }) => path)).toEqual(["pipe", "socket", "src/model.py"]);
  });

  it("follows a path that becomes a folder, a link and nothing", async () => {
    project.write("thing", "file");
    expect((await taken()).files.get("thing")?.text).toBe("file");
    rmSync(join(project.folder, "thing"));
    project.write("thing/inside", "folder");
    expect(names((await taken()).files)).toContain("thing/inside");
    rmSync(join(project.folder, "thing"), { recursive: true });
    symlinkSync("train.py", join(project.folder, "thing"));
    expect((await taken()).files.get("thing")?.mode).toBe("120000");
    rmSync(join(project.folder, "thing"));
    expect(names((await taken()).files)).toEqual([".gitignore", "src/model.py", "train.py"]);
    copyFileSync(join(project.folder, "train.py"), join(project.folder, "again.py"));
    expect(names((await taken()).files)).toContain("again.py");
  });
});
