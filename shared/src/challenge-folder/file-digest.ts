import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

export interface FileDigest {
  size: number;
  sha256: string;
}

const REMEMBERED = 20_000;
const remembered = new Map<string, { state: string; digest: FileDigest }>();

/**
 * Size and SHA-256 of a file. Read once and remembered for as long as inode, size and times of change stay what they were: a
 * broker looks at its challenge folders every few seconds, and data sets are large.
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
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(path, { state, digest });
  return digest;
}
