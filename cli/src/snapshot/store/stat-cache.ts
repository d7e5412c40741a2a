import { createHash } from "node:crypto";
import { type BigIntStats, readFileSync, renameSync, writeFileSync } from "node:fs";
import { removeQuietly } from "../../config/remove-quietly.ts";
import type { BytePath } from "../../git/byte-path.ts";

/**
 * First field. Its number is increased whenever the checks of names and contents that cached files have
 * passed change.
 */
const FORMAT = "crowdai file stats 3";

/**
 * The files of the last snapshot. A file whose fingerprint is unchanged is neither read nor checked again.
 */
export interface StatCache {
  /** The tree of the last snapshot, which consists of the files below. */
  tree: string;
  files: Map<BytePath, { fingerprint: string; size: number }>;
  /** Fingerprints of folders in which there is no pipe, socket or device. */
  folders: Map<BytePath, string>;
}

/** Returns null if there is no cache, or one that is damaged or of another release. */
export function readStatCache(path: string): StatCache | null {
  try {
    const bytes = readFileSync(path);
    const end = bytes.lastIndexOf(0);
    if (digestOf(bytes.subarray(0, end)) !== bytes.toString("latin1", end + 1)) return null;
    const fields = bytes.toString("latin1", 0, end).split("\0");
    const [format, tree, files, folders] = fields;
    if (format !== FORMAT) return null;
    const cache: StatCache = { tree: tree!, files: new Map(), folders: new Map() };
    let at = 4;
    for (let left = Number(files); left > 0; left--, at += 3)
      cache.files.set(fields[at]!, { fingerprint: fields[at + 1]!, size: Number(fields[at + 2]) });
    for (let left = Number(folders); left > 0; left--, at += 2)
      cache.folders.set(fields[at]!, fields[at + 1]!);
    return cache;
  } catch {
    return null;
  }
}

/** Replaces the cache atomically. Without it, the next snapshot reads all files again. */
export function writeStatCache(path: string, { tree, files, folders }: StatCache): void {
  const temporary = `${path}.${process.pid}.part`;
  const fields: (string | number)[] = [FORMAT, tree, files.size, folders.size];
  for (const [name, { fingerprint, size }] of files) fields.push(name, fingerprint, size);
  for (const [name, fingerprint] of folders) fields.push(name, fingerprint);
  const text = fields.join("\0");
  try {
    const bytes = Buffer.from(text, "latin1");
    // After a power failure a file can have its length and not its content.
    writeFileSync(temporary, Buffer.concat([bytes, Buffer.from(`\0${digestOf(bytes)}`)]), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    removeQuietly(temporary);
    removeQuietly(path);
  }
}

function digestOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Returns a string that changes whenever the file changes, from its stats alone. */
export function fingerprintOf({ mode, size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${mode}.${size}.${mtimeNs}.${ctimeNs}.${ino}`;
}

/** Resolution of file times: a second change within the same tick leaves the fingerprint as it is. */
const TICK_NS = 50_000_000n;
const COARSE_TICK_NS = 2_100_000_000n;

/** Returns whether a file changed so shortly before it was read that a later change could go unnoticed. */
export function isRacy({ mtimeNs, ctimeNs }: BigIntStats, readAtNs: bigint): boolean {
  const latest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const tick = latest % 1_000_000_000n === 0n ? COARSE_TICK_NS : TICK_NS;
  return latest + tick >= readAtNs;
}
