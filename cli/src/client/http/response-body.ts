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

/** Returns the whole body as text. Throws NetworkFault if it is larger than `limit` bytes. */
export async function readText(reply: Reply, limit = 64 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(reply)) {
    size += chunk.length;
    if (size > limit) throw new NetworkFault(`the answer is larger than ${limit} bytes`, "EMSGSIZE");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
