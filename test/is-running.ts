import { readFileSync } from "node:fs";

/**
 * Returns whether a process runs. A process that has ended counts as ended, even if its parent has not waited
 * for it yet.
 */
export function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
