import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

export interface FileDigest {
  size: number;
  sha256: string;
}

const REMEMBERED = 20_000;
/** File systems date changes in steps; within one, a file can change again and look the same. */
const SETTLED_MS = 2_000;
const remembered = new Map<string, { state: string; digest: FileDigest }>();

/**
 * Size and SHA-256 of a file. One that has not changed lately is read once and remembered for as long as inode, size and
 * times of change stay what they were: a broker looks at its challenge folders every few seconds, and data sets are large.
 */
export async function digestFile(path: string): Promise<FileDigest> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const state = [ino, size, mtimeNs, ctimeNs].join(":");
  const known = remembered.get(path);
  if (known?.state === state) return known.digest;
  const hash = createHash("sha256");
  let read = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    read += chunk.length;
  }
  const digest = { size: read, sha256: hash.digest("hex") };
  if (Date.now() - Number(ctimeNs / 1_000_000n) < SETTLED_MS) return digest;
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(path, { state, digest });
  return digest;
}
