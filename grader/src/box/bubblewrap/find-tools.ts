import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Folders of the system's own programs: the PATH of the grader may name folders that other users can write. */
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

export type Tools = Record<"bwrap" | "mount" | "prlimit" | "setpriv" | "unshare", string>;

/** Finds the programs that start a box. */
export function findTools(): Tools | { missing: string } {
  const bwrap = find("bwrap");
  if (bwrap === null) return { missing: "bubblewrap is not installed" };
  const found: Partial<Tools> = { bwrap };
  for (const name of ["mount", "prlimit", "setpriv", "unshare"] as const) {
    const path = find(name);
    if (path === null) return { missing: `${name} (util-linux) is not installed` };
    found[name] = path;
  }
  return found as Tools;
}

function find(name: string): string | null {
  for (const folder of FOLDERS)
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // In another folder, or nowhere.
    }
  return null;
}
