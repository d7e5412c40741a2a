import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { isInside } from "./is-inside.ts";

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

/** The path without relative entries and without folders of the project, as npx puts node_modules/.bin there. */
export function safePath(path: string, project: string): string[] {
  return path.split(delimiter).filter((folder) => isAbsolute(folder) && !isInside(folder, project));
}
