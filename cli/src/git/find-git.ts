import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { isInside } from "./is-inside.ts";

/** Returns the path of the git executable, or null if PATH has none outside the project. */
export function findGit(path: string, project: string): string | null {
  const names = process.platform === "win32" ? ["git.exe"] : ["git"];
  for (const folder of safePath(path, project))
    for (const name of names) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not in this folder.
      }
    }
  return null;
}

/**
 * Returns the PATH entries that are absolute and outside the project (npx adds node_modules/.bin, for one).
 */
export function safePath(path: string, project: string): string[] {
  return path.split(delimiter).filter((folder) => isAbsolute(folder) && !isInside(folder, project));
}
