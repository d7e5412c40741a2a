import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/**
 * Folders of the system's own programs: the PATH of the grader may name folders that other users can write.
 */
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

export type Tools = Record<"bwrap" | "perl", string>;

/** Finds the programs that start a box. */
export function findTools(): Tools | { missing: string } {
  const bwrap = findTool("bwrap");
  if (bwrap === null) return { missing: "bubblewrap is not installed" };
  const perl = findTool("perl");
  return perl === null ? { missing: "perl is not installed" } : { bwrap, perl };
}

/** Returns the path of one of the system's own programs, or null. */
export function findTool(name: string): string | null {
  for (const folder of FOLDERS)
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // In another folder, or nowhere.
    }
  return null;
}
