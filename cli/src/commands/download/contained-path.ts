import { join, resolve } from "node:path";
import { fileNameProblem, obeyedName } from "@crowdai/shared";

/**
 * Returns why a file that the broker named cannot be written: its name leads out of the folder, is read as
 * something else by an operating system, or belongs to a file that programs obey. Null if it can be written.
 */
export function refusedName(name: string): string | null {
  return fileNameProblem(name) ?? obeyedName(name);
}

/** Returns the path below `folder` of a file whose name is not refused. */
export function containedPath(folder: string, name: string): string {
  return join(resolve(folder), ...name.split("/"));
}
