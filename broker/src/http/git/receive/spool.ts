import { open } from "node:fs/promises";
import { CrowdaiError } from "@crowdai/shared";

/** Beyond what is taken, this much more is read and dropped, so that the client hears why it was refused. */
const DRAIN = 256 * 1024 * 1024;

/** Writes the pack to a file. Throws code_too_large above `most` bytes, after having read on for a while. Returns its size. */
export async function spool(pack: AsyncIterable<Uint8Array>, path: string, most: number): Promise<number> {
  let size = 0;
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of pack) {
    size += chunk.length;
    if (size <= most) await file.write(chunk);
    if (size > most + DRAIN) break;
  }
  if (size > most)
    throw new CrowdaiError("code_too_large", `The pushed pack has more than ${most} bytes.`, {
      details: { max_bytes: most },
    });
  return size;
}

/** Reads what is left of a refused push, up to a bound: a client that still sends would not hear the answer. */
export async function drain(rest: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of rest) {
    size += chunk.length;
    if (size > DRAIN) return;
  }
}
