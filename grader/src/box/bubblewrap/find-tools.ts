import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/**
 * Folders of the system's own programs: the PATH of the grader may name folders that other users can write.
 */
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

export type FindTool = (name: string) => string | null;
export type Tools = Record<"bwrap" | "perl", string>;

/** Finds the programs that start a box. */
export function findTools(find: FindTool = findTool): Tools | { missing: string } {
  const bwrap = find("bwrap");
  if (bwrap === null) return { missing: "bubblewrap is not installed" };
  const perl = find("perl");
  return perl === null ? { missing: "perl is not installed" } : { bwrap, perl };
}

/** Returns the path of one of the system's own programs, or null. */
export function findTool(name: string, folders: readonly string[] = FOLDERS): string | null {
  for (const folder of folders)
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // In another folder, or nowhere.
    }
  return null;
}
