import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing. The `recursive` of Node.js never ends where a file
 * system says of a new folder that the one above it does not exist, although it does: /proc is such a file
 * system. Returns the first folder that was made, as Node.js does.
 */
export function makeFolder(path: string, mode = 0o777): string | undefined {
  try {
    return mkdirUnlessFolder(path, mode) ? path : undefined;
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    const first = makeFolder(parent, mode);
    return mkdirUnlessFolder(path, mode) ? (first ?? path) : first;
  }
}

/** Returns false when it exists. */
function mkdirUnlessFolder(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    // Not only EEXIST: the top folder of a drive has other errors.
    if (!isFolder(path)) throw error;
    return false;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
