import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** Returns the size and the SHA-256 of a file, which is read in chunks. */
export async function fileDigest(
  path: string,
  options: { signal?: AbortSignal; onProgress?: (done: number) => void } = {},
): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let size = 0;
  await pipeline(
    createReadStream(path, { highWaterMark: 1024 * 1024 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        options.onProgress?.(size);
      }
    },
    { signal: options.signal },
  );
  return { size, sha256: hash.digest("hex") };
}
