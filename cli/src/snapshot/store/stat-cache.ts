import { type BigIntStats, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { removeQuietly } from "../../config/remove-quietly.ts";

/** Increased whenever the checks that cached files have passed change. */
const VERSION = 2;

const cacheSchema = z.object({
  version: z.literal(VERSION),
  /** The tree of the last snapshot, which consists of the files below. */
  tree: z.string(),
  /** Path, fingerprint, size. */
  files: z.array(z.tuple([z.string(), z.string(), z.number()])),
});

/** The files of the last snapshot. A file whose fingerprint is unchanged is not read again. */
export interface StatCache {
  tree: string;
  files: Map<string, { fingerprint: string; size: number }>;
}

export function readStatCache(path: string): StatCache | null {
  try {
    const { tree, files } = cacheSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    return { tree, files: new Map(files.map(([name, fingerprint, size]) => [name, { fingerprint, size }])) };
  } catch {
    return null;
  }
}

/** Replaces the cache atomically. Without it, the next snapshot reads all files again. */
export function writeStatCache(path: string, { tree, files }: StatCache): void {
  const temporary = `${path}.${process.pid}.part`;
  const rows = [...files].map(([name, { fingerprint, size }]) => [name, fingerprint, size]);
  try {
    writeFileSync(temporary, JSON.stringify({ version: VERSION, tree, files: rows }), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    removeQuietly(temporary);
    removeQuietly(path);
  }
}

/** Returns a string that changes whenever the file changes, from its stats alone. */
export function fingerprintOf({ mode, size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${mode.toString(36)}.${size.toString(36)}.${mtimeNs.toString(36)}.${ctimeNs.toString(36)}.${ino.toString(36)}`;
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
