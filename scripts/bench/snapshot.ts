import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../cli/src/snapshot/store/snapshot-store.ts";
import { takeSnapshot } from "../../cli/src/snapshot/take-snapshot.ts";
import type { Figure } from "./figure.ts";

const LARGE = 100_000;
const SMALL = 10_000;
const RATIO = 1.3;
const AGAIN_MS = 500;
const CAPS = { maxBytes: Number.POSITIVE_INFINITY, maxFiles: LARGE };

/**
 * The first snapshot of a large tree beside plain git's `add -A` and `commit` of an equal one, in turns on
 * the same disk; and the second of a smaller one that did not change. Secrets are searched for in all of it.
 */
export async function measureSnapshot(): Promise<Figure[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "crowdai-bench-snapshot-")));
  try {
    const [ours, theirs] = [join(folder, "ours"), join(folder, "theirs")];
    writeTree(ours, LARGE);
    cpSync(ours, theirs, { recursive: true });
    for (const tree of [ours, theirs]) git(tree, folder, "init", "--quiet");
    execFileSync("sync");
    const plain = await timed(() => {
      git(theirs, folder, "add", "-A");
      git(theirs, folder, "commit", "--quiet", "-m", "all");
    });
    execFileSync("sync");
    const first = await timed(() => take(ours, folder));
    const small = join(folder, "small");
    writeTree(small, SMALL);
    git(small, folder, "init", "--quiet");
    // The next one reads again the files that were just written.
    await take(small, folder);
    await take(small, folder);
    const again = await timed(() => take(small, folder));
    const ratio = first / plain;
    return [
      { name: `first snapshot, ${LARGE} files`, value: first / 1000, unit: "s" },
      { name: `git add -A and commit, ${LARGE} files`, value: plain / 1000, unit: "s" },
      {
        name: "first snapshot to plain git",
        value: ratio,
        unit: "×",
        target: `≤ ${RATIO} ×`,
        met: ratio <= RATIO,
      },
      {
        name: `unchanged snapshot, ${SMALL} files`,
        value: again,
        unit: "ms",
        target: `≤ ${AGAIN_MS} ms`,
        met: again <= AGAIN_MS,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function take(tree: string, folder: string): Promise<void> {
  const store = await openStore(join(folder, "store"), tree, process.env);
  try {
    await takeSnapshot({ store, folder: tree, env: process.env, caps: CAPS });
  } finally {
    store.close();
  }
}

/** Program-like text, a hundred files to a folder, no two alike. */
function writeTree(tree: string, files: number): void {
  for (let i = 0; i < files; i++) {
    const folder = join(tree, `part${i % 10}`, `module${Math.floor(i / 100)}`);
    if (i % 100 < 10) mkdirSync(folder, { recursive: true });
    const lines = Array.from(
      { length: 10 + (i % 60) },
      (_, n) => `value_${n} = compute(${i * 31 + n * 17}, "${i ^ n}")`,
    );
    writeFileSync(join(folder, `file${i}.py`), lines.join("\n"));
  }
}

function git(tree: string, home: string, ...args: string[]): void {
  const who = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"];
  const env = { PATH: process.env.PATH ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
  execFileSync("git", [...who, ...args], { cwd: tree, env, stdio: "ignore" });
}

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
