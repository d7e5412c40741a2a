import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import type { FileDigest } from "./manifest.ts";

/** Returns the size and digest of a file. */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Writes a private file that survives a power failure. */
export async function writePrivate(path: string, contents: string | Uint8Array): Promise<void> {
  await writeFile(path, contents, { flag: "wx", mode: 0o600 });
  await syncPath(path);
}

export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** Reads the lines of a file, one at a time: a list of objects may not fit into memory. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const handle = await open(path);
  try {
    for await (const line of handle.readLines()) if (line !== "") yield line;
  } finally {
    await handle.close();
  }
}
