import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FilePath } from "./undecoded-path.ts";

/** A file whose parts are hashed one by one. */
export interface PartedFile {
  path: FilePath;
  size: number;
  partSize: number;
}

/** Selects parts: every `step`-th from part `first` on, counted from 0. */
export interface Share {
  first: number;
  step: number;
}

const CHUNK = 1024 * 1024;

/**
 * Returns the MD5 digests of the selected parts, in order. If the file became shorter, of the bytes that are
 * left.
 */
export async function md5OfParts(
  { path, size, partSize }: PartedFile,
  { first, step }: Share,
): Promise<string[]> {
  const digests: string[] = [];
  // A worker thread receives a Buffer as a plain Uint8Array.
  const file = await open(typeof path === "string" ? path : Buffer.from(path));
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, partSize, Math.max(1, size)));
    for (let start = first * partSize; start === 0 || start < size; start += step * partSize) {
      const hash = createHash("md5");
      const end = Math.min(start + partSize, size);
      for (let at = start; at < end; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      digests.push(hash.digest("hex"));
    }
  } finally {
    await file.close();
  }
  return digests;
}
