import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

/**
 * Makes a folder that belongs to a user whose group has the same name, and that the user can reach. Only for
 * root.
 */
export async function makeFolderOf(user: string, folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  makeTraversable(dirname(folder));
  await promisify(execFile)("install", ["-d", "-o", user, "-g", user, folder]);
}

/** A temporary folder is its owner's alone, and the user has to reach what is below it. */
function makeTraversable(folder: string): void {
  const { mode } = statSync(folder);
  if ((mode & 0o001) === 0) chmodSync(folder, mode | 0o001);
  if (dirname(folder) !== folder) makeTraversable(dirname(folder));
}
