import { open } from "node:fs/promises";
import { CrowdaiError } from "@crowdai/shared";

/** The broker reads and drops this many bytes beyond the limit, so that the client receives the error. */
const DRAIN_BYTES = 256 * 1024 * 1024;

/**
 * Writes the pack to a file and returns its size. Throws code_too_large above `most` bytes, after it has
 * drained the rest.
 */
export async function spoolPack(
  pack: AsyncIterable<Uint8Array>,
  path: string,
  most: number,
): Promise<number> {
  let size = 0;
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of pack) {
    size += chunk.length;
    if (size <= most) await file.write(chunk);
    if (size > most + DRAIN_BYTES) break;
  }
  if (size > most)
    throw new CrowdaiError("code_too_large", `The pushed pack has more than ${most} bytes.`, {
      details: { max_bytes: most },
    });
  return size;
}

/**
 * Reads the rest of a rejected push, up to a limit: a client that is still sending would not receive the
 * answer.
 */
export async function drain(rest: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of rest) {
    size += chunk.length;
    if (size > DRAIN_BYTES) return;
  }
}
