import { readdirSync, readlinkSync } from "node:fs";

/** Returns the descriptors of this process for files below a folder. Linux only. */
export function openFilesBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd").filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).startsWith(folder);
    } catch {
      return false; // closed since the folder was listed
    }
  });
}
