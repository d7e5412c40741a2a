import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Caps, DEFAULT_CAPS } from "../src/snapshot/filters/caps.ts";
import { openStore } from "../src/snapshot/store/snapshot-store.ts";
import { type Snapshot, type TakeOptions, takeSnapshot } from "../src/snapshot/take-snapshot.ts";

/** A project for one test, and the home folder of a user with settings. */
export interface Project extends AsyncDisposable {
  folder: string;
  home: string;
  env: Record<string, string>;
  write(path: string, text?: string | Buffer): string;
  /** Runs git as the user does. */
  git(...args: string[]): string;
  take(options?: Partial<Omit<TakeOptions, "caps">> & { caps?: Partial<Caps> }): Promise<Snapshot>;
  /** Lists the paths of a snapshot's tree with mode and content, as git reads them from the store. */
  files(snapshot: Snapshot): Map<string, { mode: string; text: string }>;
  /**
   * Returns everything below a folder whose change git or another program could notice, except access times.
   */
  fingerprint(folder?: string): string;
}

export function makeProject(options: { git?: boolean } = {}): Project {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "crowdai-project-")));
  const folder = join(root, "project");
  const home = join(root, "home");
  mkdirSync(folder);
  mkdirSync(home);
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    CROWDAI_CONFIG_DIR: join(home, "crowdai"),
  };
  writeFileSync(
    join(home, ".gitconfig"),
    '[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n',
  );
  const code = join(home, "crowdai/code");
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: folder,
      env,
      encoding: "latin1",
      stdio: ["ignore", "pipe", "pipe"],
    }).replace(/\n$/, "");
  if (options.git !== false) git("init", "--quiet");
  return {
    folder,
    home,
    env,
    git,
    write(path, text = path) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    async take({ caps, ...rest } = {}) {
      const at = rest.folder ?? folder;
      const store = await openStore(code, at, env);
      try {
        return await takeSnapshot({ store, folder: at, env, ...rest, caps: { ...DEFAULT_CAPS, ...caps } });
      } finally {
        store.close();
      }
    },
    files(snapshot) {
      const key = createHash("sha256").update(snapshot.folder).digest("hex").slice(0, 32);
      const store = (args: string[]) =>
        execFileSync("git", args, {
          env: { PATH: env.PATH, GIT_DIR: join(code, key, "repository.git") },
          maxBuffer: 64 * 1024 * 1024,
        });
      const lines = store(["ls-tree", "-r", "-z", snapshot.tree]).toString("latin1").split("\0").slice(0, -1);
      return new Map(
        lines.map((line) => {
          const [mode = "", , object = ""] = line.split(/[ \t]/);
          const text = store(["cat-file", "blob", object]).toString("latin1");
          return [line.slice(line.indexOf("\t") + 1), { mode, text }];
        }),
      );
    },
    fingerprint: (of = root) => fingerprint(of, join(home, "crowdai")),
    async [Symbol.asyncDispose]() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function fingerprint(folder: string, but: string): string {
  const lines: string[] = [];
  const walk = (path: Buffer) => {
    const name = path.toString("latin1");
    if (name === but) return;
    const stats = lstatSync(path);
    const { mode, size, mtimeMs, ctimeMs, ino } = stats;
    const isFolder = stats.isDirectory();
    // A folder's time changes with files that are added and removed.
    const facts = name === dirname(but) ? [mode] : [mode, isFolder ? 0 : size, mtimeMs, ctimeMs, ino];
    const content = stats.isFile()
      ? createHash("sha256").update(readFileSync(path)).digest("hex")
      : stats.isSymbolicLink()
        ? readlinkSync(path)
        : "";
    lines.push([name, ...facts, content].join(" "));
    if (!isFolder) return;
    const inside = readdirSync(path, { encoding: "buffer" }).sort(Buffer.compare);
    for (const entry of inside) walk(Buffer.concat([path, Buffer.from("/"), entry]));
  };
  if (existsSync(folder)) walk(Buffer.from(folder));
  return lines.join("\n");
}
