import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CleanGit, GitFailure } from "../../git/clean-git.ts";
import { SPARSE_INDEX } from "../../git/shadow-repository.ts";
import type { UserRepository } from "../../git/user-repository.ts";
import type { ListedFiles } from "./list-files.ts";

export type Dirty = "yes" | "no" | "unknown";

/**
 * Returns whether the working tree differs from HEAD, as `git status` would report, by reading a copy of the index.
 * Returns "unknown" if not all objects are present locally: nothing is ever fetched.
 */
export async function isDirty(
  git: CleanGit,
  repository: UserRepository | null,
  { reader, untracked }: ListedFiles,
): Promise<Dirty> {
  if (!repository || repository.head === "unborn" || untracked) return "yes";
  // To expand a sparse index, git would write trees and touch the times of objects in the user's repository.
  if (repository.head === "unknown" || existsSync(join(reader, SPARSE_INDEX))) return "unknown";
  const at = {
    cwd: repository.top,
    env: { GIT_DIR: reader, GIT_WORK_TREE: repository.top, GIT_INDEX_FILE: join(reader, "index") },
  };
  // Exits with 1 if something has changed, which the next command reports.
  await git.run(["update-index", "-q", "--refresh", "--ignore-submodules"], at).catch(() => {});
  try {
    await git.run(["diff-index", "--quiet", "--ignore-submodules", repository.head], at);
    return "no";
  } catch (failure) {
    return failure instanceof GitFailure && failure.code === 1 ? "yes" : "unknown";
  }
}
