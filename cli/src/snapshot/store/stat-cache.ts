import { type BigIntStats, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

/** Raised whenever what a cached file was checked for changes. */
const VERSION = 1;

const cacheSchema = z.object({
  version: z.literal(VERSION),
  /** The tree of the snapshot that the files below made. */
  tree: z.string(),
  /** Path, what it looked like, its size. */
  files: z.array(z.tuple([z.string(), z.string(), z.number()])),
});

/** What the last snapshot of a project was made of, so that files that look the same need not be read again. */
export interface StatCache {
  tree: string;
  files: Map<string, { look: string; size: number }>;
}

export function readStatCache(path: string): StatCache | null {
  try {
    const { tree, files } = cacheSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    return { tree, files: new Map(files.map(([name, look, size]) => [name, { look, size }])) };
  } catch {
    return null;
  }
}

/** A run that cannot keep it only costs the next one some time. */
export function writeStatCache(path: string, { tree, files }: StatCache): void {
  const temporary = `${path}.${process.pid}.part`;
  const rows = [...files].map(([name, { look, size }]) => [name, look, size]);
  writeFileSync(temporary, JSON.stringify({ version: VERSION, tree, files: rows }), { mode: 0o600 });
  renameSync(temporary, path);
}

/** What a file looks like without reading it. */
export function fingerprintOf({ mode, size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${mode.toString(36)}.${size.toString(36)}.${mtimeNs.toString(36)}.${ctimeNs.toString(36)}.${ino.toString(36)}`;
}

/** File systems tick: what changes again within the same tick looks the same. */
const TICK_NS = 50_000_000n;
const COARSE_TICK_NS = 2_100_000_000n;

/** Whether a file was changed so shortly before it was read that a later change could go unseen. */
export function isRacy({ mtimeNs, ctimeNs }: BigIntStats, readAtNs: bigint): boolean {
  const latest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const tick = latest % 1_000_000_000n === 0n ? COARSE_TICK_NS : TICK_NS;
  return latest + tick >= readAtNs;
}
