import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

export interface FileDigest {
  size: number;
  sha256: string;
}

const MAX_CACHED = 20_000;
/** File systems record times in steps. Within one step, a second change is not visible. */
const SETTLED_MS = 2_000;
const cached = new Map<string, { state: string; digest: FileDigest }>();

/**
 * Returns size and SHA-256 of a file. The digest of a file that has not changed recently is cached as long as
 * inode, size and modification times stay the same: a broker re-reads its challenge folders every few
 * seconds, and data sets are large.
 */
export async function digestFile(path: string): Promise<FileDigest> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const state = [ino, size, mtimeNs, ctimeNs].join(":");
  const known = cached.get(path);
  if (known?.state === state) return known.digest;
  const hash = createHash("sha256");
  let read = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    read += chunk.length;
  }
  const digest = { size: read, sha256: hash.digest("hex") };
  if (Date.now() - Number(ctimeNs / 1_000_000n) < SETTLED_MS) return digest;
  if (cached.size >= MAX_CACHED) cached.clear();
  cached.set(path, { state, digest });
  return digest;
}
