import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Intent, Receipt } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import type { TestBroker } from "../support/test-broker.ts";

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  key?: string | null;
  input?: string | Uint8Array;
  dir?: string;
  /** Path of the index; "" means the repository's own. */
  index?: string;
}

/** Plain git as participants use it, with the key in no command line. */
export interface PlainGit {
  folder: string;
  /** A bare repository in which objects are created. */
  bare: string;
  run(args: string[], options?: RunOptions): Promise<Ran>;
  /** Runs in the bare repository and returns the output; throws on failure. */
  must(args: string[], options?: RunOptions): Promise<string>;
  /** Creates a commit of the files, without parents. */
  snapshot(files: Record<string, string>, message?: string): Promise<Snapshot>;
  /** Creates a commit of an existing tree. */
  commitOf(tree: string, message?: string): Promise<Snapshot>;
  close(): Promise<void>;
}

export type Snapshot = NonNullable<Intent["code"]>;

export async function createPlainGit(): Promise<PlainGit> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-git-"));
  const bare = join(folder, "objects.git");

  function run(args: string[], options: RunOptions = {}): Promise<Ran> {
    const { key = null, input, dir = bare } = options;
    // In other folders git uses the repository's own index.
    const index = options.index ?? (dir === bare ? join(bare, "index") : null);
    const config = key
      ? [["http.extraHeader", `Authorization: Basic ${Buffer.from(`crowdai:${key}`).toString("base64")}`]]
      : [];
    const env = Object.fromEntries([
      ["PATH", process.env.PATH],
      ["HOME", folder],
      ...(index ? [["GIT_INDEX_FILE", index]] : []),
      ["GIT_CONFIG_NOSYSTEM", "1"],
      ["GIT_TERMINAL_PROMPT", "0"],
      ["GIT_AUTHOR_NAME", "Ada L"],
      ["GIT_AUTHOR_EMAIL", "ada@example.org"],
      ["GIT_COMMITTER_NAME", "Ada L"],
      ["GIT_COMMITTER_EMAIL", "ada@example.org"],
      ["GIT_CONFIG_COUNT", String(config.length)],
      ...config.flatMap(([name, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, name],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ]);
    return new Promise((resolve) => {
      const child = execFile(
        "git",
        args,
        { cwd: dir, env, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ code: error ? Number(error.code ?? 1) : 0, stdout: stdout.trimEnd(), stderr }),
      );
      child.stdin?.on("error", () => {}).end(input ?? "");
    });
  }

  async function must(args: string[], options?: RunOptions): Promise<string> {
    const ran = await run(args, options);
    if (ran.code !== 0) throw new Error(`git ${args.join(" ")}: ${ran.stderr}`);
    return ran.stdout;
  }

  async function commitOf(tree: string, message = "A snapshot"): Promise<Snapshot> {
    const commit = await must(["commit-tree", tree, "-m", message]);
    return { commit, tree, files: 1, bytes: 1 };
  }

  await must(["init", "-q", "--bare", bare], { dir: folder });
  return {
    folder,
    bare,
    run,
    must,
    commitOf,
    async snapshot(files, message = "A snapshot\n\nHead: main 0123abc\nRuntime: Python 3.11") {
      const work = await mkdtemp(join(folder, "work-"));
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(work, name)), { recursive: true });
        await writeFile(join(work, name), text);
      }
      const there = { dir: work, index: `${work}.index` };
      const as = [`--git-dir=${bare}`, `--work-tree=${work}`];
      await must([...as, "add", "-A", "-f"], there);
      const tree = await must([...as, "write-tree"], there);
      const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      return { ...(await commitOf(tree, message)), files: Object.keys(files).length, bytes };
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Submits a value with code, by plain requests. */
export async function submitWithCode(
  broker: TestBroker,
  code: Snapshot | null,
  options: { key?: string; id?: string; data?: Record<string, unknown>; challenge?: string } = {},
): Promise<Receipt> {
  const { key, id = createSubmissionId(), data = { score: 0.5 }, challenge = "test" } = options;
  const answer = await broker.fetch("/api/v1/submissions", {
    method: "POST",
    ...(key && { key }),
    body: { id, challenge, message: "with code", input: { kind: "inline", data }, code },
  });
  const body = (await answer.json()) as Receipt & { error?: unknown };
  if (!answer.ok) throw body.error;
  return body;
}
