import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Returns the full path of a program, or null if it is not on the path. */
export function onPath(program: string, path: string = process.env.PATH ?? ""): string | null {
  return findAllOnPath(program, path).next().value ?? null;
}

/** Returns every program of that name on the path, in the order of the path. */
export function* findAllOnPath(
  program: string,
  path: string = process.env.PATH ?? "",
): Generator<string, undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) yield file;
    } catch {
      // Not in this folder.
    }
  }
}
