import { setImmediate } from "node:timers/promises";
import type { BytePath } from "../../git/byte-path.ts";
import { onDisk } from "../../git/byte-path.ts";
import type { Mode } from "../../git/tree-writer.ts";
import { fingerprintOf } from "../store/stat-cache.ts";
import type { LeftOut } from "./left-out.ts";
import { linkedFolders } from "./linked-folders.ts";
import { lstatEntry } from "./read-file.ts";

/** A regular file or a link, and its stats. */
export interface FileStat {
  path: BytePath;
  mode: Mode;
  size: number;
  fingerprint: string;
}

/** Files to stat before other tasks get to run. */
const BATCH = 500;

/** Returns the files and links at the paths. Adds the others to `leftOut`. */
export async function statFiles(
  root: string,
  paths: readonly BytePath[],
  leftOut: LeftOut[],
): Promise<FileStat[]> {
  const found: FileStat[] = [];
  const isBeyondLink = linkedFolders(root);
  for (const [i, path] of paths.entries()) {
    if (i % BATCH === 0) await setImmediate();
    if (isBeyondLink(path)) continue;
    const stats = lstatEntry(onDisk(root, path));
    if (stats === "missing") continue;
    if (stats === "unreadable") leftOut.push({ path, reason: "it cannot be read" });
    else if (stats.isSymbolicLink() || stats.isFile())
      found.push({ path, mode: modeOf(stats), size: Number(stats.size), fingerprint: fingerprintOf(stats) });
    else if (!stats.isDirectory()) leftOut.push({ path, reason: "a pipe, socket or device" });
  }
  return found;
}

function modeOf(stats: { mode: bigint; isSymbolicLink(): boolean }): Mode {
  if (stats.isSymbolicLink()) return "120000";
  return process.platform !== "win32" && stats.mode & 0o100n ? "100755" : "100644";
}
