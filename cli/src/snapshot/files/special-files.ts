import { readdirSync } from "node:fs";
import { type BytePath, foldersOf, onDisk } from "../../git/byte-path.ts";
import { fingerprintOf, isRacy } from "../store/stat-cache.ts";
import type { LeftOut } from "./left-out.ts";
import { lstatEntry } from "./read-file.ts";

/**
 * Finds pipes, sockets and devices in the folders of the given files. Git skips them silently. A folder with
 * the fingerprint of `known` is not listed again: any entry that comes or goes changes its times. Returns the
 * fingerprints of folders without such entries.
 */
export function findSpecial(
  root: string,
  paths: Iterable<BytePath>,
  known: ReadonlyMap<BytePath, string>,
): { special: LeftOut[]; folders: Map<BytePath, string> } {
  const special: LeftOut[] = [];
  const folders = new Map<BytePath, string>();
  for (const folder of foldersOf(paths)) {
    const readAt = BigInt(Date.now()) * 1_000_000n;
    const path = onDisk(root, folder);
    const stats = lstatEntry(path);
    // Nothing beyond a link belongs to the project.
    if (typeof stats === "string" || !stats.isDirectory()) continue;
    const fingerprint = fingerprintOf(stats);
    const isKnown = known.get(folder) === fingerprint;
    const names = isKnown ? [] : specialNames(path);
    if (names === null) continue;
    for (const name of names)
      special.push({
        path: folder === "" ? name : `${folder}/${name}`,
        reason: "a pipe, socket or device",
      });
    if (names.length === 0 && (isKnown || !isRacy(stats, readAt))) folders.set(folder, fingerprint);
  }
  return { special, folders };
}

/** Returns the names of the special files in a folder; null if it cannot be listed. */
function specialNames(folder: string | Buffer): BytePath[] | null {
  try {
    // As text: Bun ignores `withFileTypes` beside `encoding: "buffer"`.
    return readdirSync(folder, { withFileTypes: true })
      .filter(
        (entry) => entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice(),
      )
      .map(({ name }) => Buffer.from(name).toString("latin1"));
  } catch {
    return null;
  }
}
