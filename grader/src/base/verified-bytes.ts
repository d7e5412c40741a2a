import { createHash } from "node:crypto";
import { CrowdaiError } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";

export interface Announced {
  key: string;
  size: number;
  sha256: string;
}

/**
 * Yields the object's bytes. Throws digest_mismatch at the end, or at the first byte too many, when they are
 * not the announced ones.
 */
export async function* verifiedBytes(
  stored: Announced,
  objects: ObjectStore,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of await objects.get(stored.key)) {
    signal.throwIfAborted();
    size += chunk.length;
    if (size > stored.size) break;
    hash.update(chunk);
    yield chunk;
  }
  if (size !== stored.size || hash.digest("hex") !== stored.sha256)
    throw new CrowdaiError("digest_mismatch", "The stored object differs from the accepted one.");
}
