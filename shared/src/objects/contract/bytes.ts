import { createHash, randomBytes } from "node:crypto";
import type { AnnouncedObject, ObjectStore, StoredObject } from "../object-store.ts";

export const KEY = "submissions/iris/s1/input";

export const textOf = (text: string) => new TextEncoder().encode(text);

/** Makes random bytes, which differ between tests and cannot be compressed. */
export const someBytes = (size: number) => new Uint8Array(randomBytes(size));

/** Returns the announcement of some bytes. */
export function announced(bytes: Uint8Array): StoredObject {
  return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** The smallest part size that every store accepts. */
export const PART = 5 * 1024 * 1024;

/** Returns a client's announcement of some bytes, with their parts. */
export function offered(bytes: Uint8Array): AnnouncedObject {
  const md5 = [];
  for (let at = 0; at < bytes.length; at += PART)
    md5.push(
      createHash("md5")
        .update(bytes.subarray(at, at + PART))
        .digest("hex"),
    );
  return { ...announced(bytes), parts: { size: PART, md5 } };
}

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys.sort();
}
