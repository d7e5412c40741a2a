import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing. The `recursive` of Node.js never ends where a file system says of a new
 * folder that the one above it does not exist, although it does: /proc is such a file system.
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isMade(path, mode)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  mkdirUnlessFolder(path, mode);
}

/** Returns false when the folder above is missing. */
function isMade(path: string, mode: number): boolean {
  try {
    mkdirUnlessFolder(path, mode);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function mkdirUnlessFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Not only EEXIST: the top folder of a drive has other errors.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
