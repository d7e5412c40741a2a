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

/** Parses lines such as `H 100644 <object> 0\t<path>`. */
export function readTracked(lines: readonly string[]): {
  files: Set<BytePath>;
  modules: BytePath[];
  skipped: number;
} {
  const files = new Set<BytePath>();
  const modules = new Set<BytePath>();
  let skipped = 0;
  for (const line of lines) {
    const path = line.slice(line.indexOf("\t") + 1);
    const mode = line.slice(2, 8);
    if (mode === "040000") skipped++;
    else if (line.startsWith("S ")) skipped++;
    else if (mode === "160000") modules.add(path);
    else files.add(path);
  }
  return { files, modules: [...modules], skipped };
}
