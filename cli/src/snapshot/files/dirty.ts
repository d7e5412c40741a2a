import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BytePath, onDisk } from "../../git/byte-path.ts";
import { type CleanGit, GitFailure } from "../../git/clean-git.ts";
import { SPARSE_INDEX } from "../../git/shadow-repository.ts";
import type { UserRepository } from "../../git/user-repository.ts";
import type { ListedFiles } from "./list-files.ts";
import { lstatEntry } from "./read-file.ts";

interface RunAt {
  cwd: string;
  env: Record<string, string>;
}

export type Dirty = "yes" | "no" | "unknown";

/**
 * Returns whether the working tree differs from HEAD, as `git status` would report, by reading a copy of the
 * index. Returns "unknown" if not all objects are present locally: nothing is ever fetched.
 */
export async function isDirty(
  git: CleanGit,
  repository: UserRepository | null,
  listed: ListedFiles,
): Promise<Dirty> {
  const inside = await Promise.all(listed.nested.map((one) => isDirty(git, one.repository, one.listed)));
  if (inside.includes("yes")) return "yes";
  const own = await isTopDirty(git, repository, listed);
  return own === "no" && inside.includes("unknown") ? "unknown" : own;
}

async function isTopDirty(
  git: CleanGit,
  repository: UserRepository | null,
  { reader, untracked, mayHaveFlags }: ListedFiles,
): Promise<Dirty> {
  if (!repository || repository.head === "unborn" || untracked) return "yes";
  // To expand a sparse index, git would write trees and touch the times of objects in the user's repository.
  if (repository.head === "unknown" || existsSync(join(reader, SPARSE_INDEX))) return "unknown";
  const at = {
    cwd: repository.top,
    env: { GIT_DIR: reader, GIT_WORK_TREE: repository.top, GIT_INDEX_FILE: join(reader, "index") },
  };
  try {
    if (mayHaveFlags) await clearFlags(git, at);
  } catch (failure) {
    if (failure instanceof GitFailure) return "unknown";
    throw failure;
  }
  // Exits with 1 if something has changed, which the next command reports.
  await git.run(["update-index", "-q", "--refresh", "--ignore-submodules"], at).catch(() => {});
  try {
    await git.run(["diff-index", "--quiet", "--ignore-submodules", repository.head], at);
    return "no";
  } catch (failure) {
    return failure instanceof GitFailure && failure.code === 1 ? "yes" : "unknown";
  }
}

/** Makes git look at every file of the working tree, also at those whose index entry tells it not to. */
async function clearFlags(git: CleanGit, at: RunAt): Promise<void> {
  const lines = (await git.run(["ls-files", "-z", "-v"], at)).toString("latin1").split("\0").slice(0, -1);
  const isThere = (path: BytePath) => lstatEntry(onDisk(at.cwd, path)) !== "missing";
  const paths = (tags: RegExp) =>
    lines
      .filter((line) => tags.test(line))
      .map((line) => line.slice(2))
      .filter(isThere);
  for (const [flag, found] of [
    ["--no-assume-unchanged", paths(/^[a-z] /)],
    ["--no-skip-worktree", paths(/^s /i)],
  ] as const)
    if (found.length > 0)
      await git.run(["update-index", flag, "-z", "--stdin"], {
        ...at,
        input: Buffer.from(`${found.join("\0")}\0`, "latin1"),
      });
}
