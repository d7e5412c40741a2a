import { join, resolve } from "node:path";
import { fileNameProblem } from "@crowdai/shared";

/**
 * Returns why a file that the broker named cannot be written: its name leads out of the folder, is read as something else
 * by an operating system, or belongs to a hidden file, which programs obey. Null if it can be written.
 */
export function refusedName(name: string): string | null {
  const isHidden = name.split("/").some((part) => part.startsWith("."));
  return fileNameProblem(name) ?? (isHidden ? "its name starts with a dot" : null);
}

/** Returns the path below `folder` of a file whose name is not refused. */
export function containedPath(folder: string, name: string): string {
  return join(resolve(folder), ...name.split("/"));
}
