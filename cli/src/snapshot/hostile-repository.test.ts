import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";

let project: Project;
beforeEach(() => {
  project = makeProject();
  project.write("a.py");
  project.write("b.bin");
  project.git("add", ".");
  project.git("commit", "-qm", "first");
});
afterEach(() => project[Symbol.asyncDispose]());

const HOOKS = [
  "post-index-change",
  "reference-transaction",
  "pre-commit",
  "commit-msg",
  "post-commit",
  "pre-push",
  "pre-auto-gc",
  "post-checkout",
  "fsmonitor-watchman",
];

describe.skipIf(missing("git"))("a repository whose settings make git run programs", () => {
  it("runs none of them, and yields its tree", async () => {
    const canary = join(project.home, "canary");
    const trap = join(project.home, "trap.sh");
    writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> '${canary}'\ncat\n`);
    chmodSync(trap, 0o755);
    const { folder, home } = project;
    const settings: Record<string, string> = {
      "core.fsmonitor": trap,
      "core.hooksPath": join(home, "hooks"),
      "core.sshCommand": trap,
      "core.gitProxy": trap,
      "core.editor": trap,
      "core.pager": trap,
      "core.askPass": trap,
      "core.alternateRefsCommand": trap,
      "credential.helper": `!${trap}`,
      "diff.external": trap,
      "diff.bin.textconv": trap,
      "diff.bin.command": trap,
      "filter.trap.clean": trap,
      "filter.trap.smudge": trap,
      "filter.trap.process": trap,
      "filter.trap.required": "true",
      "merge.trap.driver": trap,
      "commit.gpgSign": "true",
      "gpg.program": trap,
      "uploadpack.packObjectsHook": trap,
      "alias.ls-files": `!${trap}`,
      "alias.push": `!${trap}`,
      "include.path": join(home, "included"),
      "core.worktree": home,
      "safe.bareRepository": "explicit",
      "extensions.partialClone": "origin",
      "remote.origin.promisor": "true",
      "remote.origin.url": `ext::${trap}`,
      "protocol.ext.allow": "always",
    };
    const local = (file: string) => {
      for (const [name, value] of Object.entries(settings))
        execFileSync("git", ["config", "--file", file, name, value], { env: { PATH: project.env.PATH } });
    };
    local(join(home, ".gitconfig"));
    local(join(home, "included"));
    local(join(folder, ".git/config"));
    for (const hooks of [join(home, "hooks"), join(folder, ".git/hooks")]) {
      mkdirSync(hooks, { recursive: true });
      for (const hook of HOOKS) {
        writeFileSync(join(hooks, hook), `#!/bin/sh\necho ${hook} >> '${canary}'\n`);
        chmodSync(join(hooks, hook), 0o755);
      }
    }
    // A program named git where npx, or a PATH entry ".", would find it.
    for (const place of ["git", "node_modules/.bin/git"]) {
      project.write(place, `#!/bin/sh\necho git >> '${canary}'\n`);
      chmodSync(join(folder, place), 0o755);
    }
    project.write(".gitattributes", "* filter=trap diff=bin merge=trap\n");
    project.write(".gitignore", "node_modules\n");
    project.write(".lfsconfig", `[lfs]\n\turl = ext::${trap}\n`);
    project.write("new.bin", "new");
    const before = project.fingerprint();
    const env = {
      ...project.env,
      PATH: `.:${join(folder, "node_modules/.bin")}::${project.env.PATH}`,
      GIT_EXTERNAL_DIFF: trap,
      GIT_SSH_COMMAND: trap,
      GIT_ASKPASS: trap,
      GIT_EXEC_PATH: join(folder, "node_modules/.bin"),
      GIT_DIR: home,
      GIT_INDEX_FILE: join(home, "elsewhere"),
      GIT_TRACE: canary,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.fsmonitor",
      GIT_CONFIG_VALUE_0: trap,
    };
    const snapshot = await project.take({ env });
    expect([...project.files(snapshot).keys()]).toEqual([
      ".gitignore",
      ".lfsconfig",
      "a.py",
      "b.bin",
      "git",
      "new.bin",
    ]);
    expect(existsSync(canary)).toBe(false);
    expect(project.fingerprint()).toBe(before);
  });
});

describe.skipIf(missing("git"))("a snapshot whose process is killed", () => {
  it("leaves the repository as it was, at any moment, and the next snapshot is complete", async () => {
    for (let i = 0; i < 300; i++) project.write(`many/f${i}.py`, `print(${i})\n`.repeat(200));
    const before = project.fingerprint(project.folder);
    const state = () => [project.git("fsck", "--full"), project.git("reflog"), project.git("for-each-ref")];
    const described = state();
    const program = join(import.meta.dirname, "../../test/take-snapshot.program.ts");
    for (const ms of [40, 120, 200, 260, 320, 400, 480, 600]) {
      const child = spawn(process.execPath, [program, project.folder, project.env.CROWDAI_CONFIG_DIR!], {
        env: project.env,
        stdio: "ignore",
      });
      const ended = new Promise((resolve) => child.on("close", resolve));
      const timer = setTimeout(() => child.kill("SIGKILL"), ms);
      await ended;
      clearTimeout(timer);
      expect(project.fingerprint(project.folder)).toBe(before);
    }
    expect(state()).toEqual(described);
    expect(project.git("status", "--porcelain")).toBe("?? many/");
    const snapshot = await project.take();
    expect(project.files(snapshot).size).toBe(302);
  }, 180_000);

  it("can run at the same time as others", async () => {
    for (let i = 0; i < 50; i++) project.write(`many/f${i}.py`);
    const snapshots = await Promise.all([project.take(), project.take(), project.take()]);
    expect(new Set(snapshots.map(({ tree }) => tree)).size).toBe(1);
    project.write("more.py");
    const [after] = await Promise.all([project.take(), project.take()]);
    expect(project.files(after!).size).toBe(53);
  });

  it("starts over if its store is damaged", async () => {
    const first = await project.take();
    const code = join(project.env.CROWDAI_CONFIG_DIR!, "code");
    for (const key of readdirSync(code)) {
      execFileSync("rm", ["-rf", join(code, key, "repository.git/objects")]);
      mkdirSync(join(code, key, "repository.git/objects"));
    }
    project.write("more.py");
    expect(project.files(await project.take()).size).toBe(first.files.length + 1);
  });

  it("stops when its signal is aborted", async () => {
    const signal = AbortSignal.abort();
    await expect(project.take({ signal })).rejects.toMatchObject({ code: "interrupted" });
  });
});
