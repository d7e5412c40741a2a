import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Lets all users read a file or a folder with all that is in it. Links are not followed. Only for what the
 * grader wrote and no other process can change; the folder above keeps other users of the machine out.
 */
export function makeReadable(path: string): void {
  const found = lstatSync(path);
  if (found.isDirectory()) {
    chmodSync(path, found.mode | 0o555);
    for (const name of readdirSync(path)) makeReadable(join(path, name));
  } else if (found.isFile()) chmodSync(path, found.mode | 0o444 | ((found.mode & 0o100) === 0 ? 0 : 0o111));
}

/** Returns the first file or folder that other users cannot read, or null. */
export function findUnreadable(path: string): string | null {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return null;
  const needed = found.isDirectory() ? 0o005 : 0o004;
  if ((found.mode & needed) !== needed) return path;
  if (!found.isDirectory()) return null;
  for (const name of readdirSync(path)) {
    const unreadable = findUnreadable(join(path, name));
    if (unreadable) return unreadable;
  }
  return null;
}
