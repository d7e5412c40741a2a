import { lstatSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isReadable, isThere } from "./path-access.ts";

/** The user's repository, as far as it can be read without running git in it. */
export interface UserRepository {
  /** Root of the working tree. */
  top: string;
  gitDir: string;
  /** Shared by all working trees of the repository. */
  commonDir: string;
  index: string;
  /**
   * Commit that HEAD names; "unborn" on a branch without commits; "unknown" if refs are stored in an
   * unsupported way.
   */
  head: string;
  branch: string | null;
}

/**
 * Returns the repository whose working tree has its root here, or null. Throws file_unreadable if that cannot
 * be determined.
 */
export function repositoryAt(folder: string): UserRepository | null {
  const gitDir = gitDirOf(join(folder, ".git"));
  if (!gitDir || !isThere(join(gitDir, "HEAD"))) return null;
  const common = readText(join(gitDir, "commondir"));
  const commonDir = common === null ? gitDir : resolve(gitDir, common.trim());
  return { top: folder, gitDir, commonDir, index: join(gitDir, "index"), ...readHead(gitDir, commonDir) };
}

/** Returns the nearest repository, in this folder or above it, or null. */
export function repositoryAround(folder: string): UserRepository | null {
  for (let here = folder; ; here = dirname(here)) {
    const found = repositoryAt(here);
    if (found) return found;
    if (here === dirname(here)) return null;
  }
}

/**
 * Returns a sentence about a .git, in this folder or above it, that git would look at and that is not a
 * repository; null if there is none. A worktree whose main repository was moved has one.
 */
export function brokenGit(folder: string, repository: UserRepository | null): string | null {
  for (let here = folder; here !== repository?.top; here = dirname(here)) {
    const path = join(here, ".git");
    if (isThere(path)) {
      const target = gitDirOf(path);
      const why =
        target && target !== path ? `points to ${target}, which is not a repository` : "is not a repository";
      return `${path} ${why}. The code is taken ${repository ? `as part of ${repository.top}` : "without git"}.`;
    }
    if (here === dirname(here)) return null;
  }
  return null;
}

function gitDirOf(path: string): string | null {
  try {
    if (statSync(path).isDirectory()) return path;
    if (!lstatSync(path).isFile()) return null;
  } catch {
    return null;
  }
  const match = isReadable(path) ? readText(path)?.match(/^gitdir: (.*?)\n*$/s) : null;
  return match ? resolve(dirname(path), match[1]!) : null;
}

function readHead(gitDir: string, commonDir: string): Pick<UserRepository, "head" | "branch"> {
  const text = readText(join(gitDir, "HEAD"))?.trim() ?? "";
  const ref = text.match(/^ref: (.*)$/)?.[1];
  if (ref === undefined) return { head: OBJECT.test(text) ? text : "unknown", branch: null };
  if (ref === "refs/heads/.invalid") return { head: "unknown", branch: null };
  const branch = ref.replace(/^refs\/heads\//, "");
  const loose = readText(join(gitDir, ref)) ?? readText(join(commonDir, ref));
  if (loose !== null) return { head: OBJECT.test(loose.trim()) ? loose.trim() : "unknown", branch };
  const packed = readText(join(commonDir, "packed-refs"))?.split("\n") ?? [];
  const line = packed.find((entry) => entry.endsWith(` ${ref}`));
  return { head: line ? line.split(" ")[0]! : "unborn", branch };
}

const OBJECT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
