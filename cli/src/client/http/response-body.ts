import type { IncomingMessage } from "node:http";
import { CrowdaiError } from "@crowdai/shared";
import { NetworkFault } from "./network-fault.ts";

export type Reply = IncomingMessage;

/** Yields the body in chunks. Throws NetworkFault if the connection breaks. */
export async function* bodyOf(reply: Reply): AsyncGenerator<Buffer> {
  try {
    yield* reply as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof CrowdaiError || error instanceof NetworkFault) throw error;
    const { code = "ECONNRESET" } = error as NodeJS.ErrnoException;
    throw new NetworkFault("the connection was closed early", code, error);
  }
}

/**
 * After the first seconds, a body must have arrived at this rate on average; all of it, within the last
 * limit.
 */
const MIN_BYTES_PER_SECOND = 256;
const GRACE_MS = 10_000;
const MAX_MS = 5 * 60_000;

/**
 * Returns the whole body as text. Throws NetworkFault if it is larger than `limit` bytes, or arrives so
 * slowly that the server seems to hold the client rather than to answer.
 */
export async function readText(reply: Reply, limit = 64 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const began = performance.now();
  const checking = setInterval(() => {
    const ms = performance.now() - began;
    if (ms < GRACE_MS || (ms < MAX_MS && size / (ms / 1000) >= MIN_BYTES_PER_SECOND)) return;
    reply.destroy(new NetworkFault("the answer arrives too slowly", "ETIMEDOUT"));
  }, 1_000);
  try {
    for await (const chunk of bodyOf(reply)) {
      size += chunk.length;
      if (size > limit) throw new NetworkFault(`the answer is larger than ${limit} bytes`, "EMSGSIZE");
      chunks.push(chunk);
    }
  } finally {
    clearInterval(checking);
  }
  return Buffer.concat(chunks).toString("utf8");
}
