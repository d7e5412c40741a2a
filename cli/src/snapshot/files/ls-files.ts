import { join } from "node:path";
import type { BytePath } from "../../git/byte-path.ts";
import type { CleanGit } from "../../git/clean-git.ts";

/** Returns a function that runs `git ls-files` in a shadow repository and returns the paths it prints. */
export function lister({ git, top, within }: { git: CleanGit; top: string; within: string }, reader: string) {
  return async (
    args: readonly string[],
    { index, onWarning }: { index: string; onWarning?: (text: string) => void },
  ): Promise<BytePath[]> => {
    const out = await git.run(
      ["--literal-pathspecs", "ls-files", "-z", ...args, ...(within === "" ? [] : ["--", within])],
      {
        cwd: top,
        env: { GIT_DIR: reader, GIT_WORK_TREE: top, GIT_INDEX_FILE: join(reader, index) },
        onWarning,
      },
    );
    return out.toString("latin1").split("\0").slice(0, -1);
  };
}

/** The tracked files of a repository, as its index lists them. */
export interface TrackedFiles {
  files: Set<BytePath>;
  /** Submodules, and the commit that the index records for each. */
  modules: Map<BytePath, string>;
  /** Files and folders outside the sparse checkout. */
  skipped: number;
  /** Files that are in the working tree although the index tells git not to look at them there. */
  flagged: BytePath[];
  /** Whether the index tells git not to look at some entry. */
  hasFlags: boolean;
}

/** Parses lines such as `H 100644 <object> 0\t<path>`, in which a small letter means assume-unchanged. */
export function readTracked(lines: readonly string[], isMissing: (path: BytePath) => boolean): TrackedFiles {
  const tracked: TrackedFiles = {
    files: new Set(),
    modules: new Map(),
    skipped: 0,
    flagged: [],
    hasFlags: false,
  };
  for (const line of lines) {
    // Most lines, and the only ones in most repositories.
    if (line.startsWith("H 100644 ") || line.startsWith("H 100755 ")) {
      tracked.files.add(line.slice(line.indexOf("\t") + 1));
      continue;
    }
    const path = line.slice(line.indexOf("\t") + 1);
    const [tag = "", mode, object = ""] = line.slice(0, line.indexOf("\t")).split(" ");
    const isFlagged = tag !== tag.toUpperCase() || tag === "S";
    tracked.hasFlags ||= isFlagged;
    if (mode === "160000") tracked.modules.set(path, object);
    else if (mode === "040000" || (/s/i.test(tag) && isMissing(path))) tracked.skipped++;
    else {
      tracked.files.add(path);
      if (isFlagged && !isMissing(path)) tracked.flagged.push(path);
    }
  }
  return tracked;
}
