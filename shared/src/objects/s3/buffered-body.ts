import { createHash, type Hash, randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "../../protocol/errors.ts";
import { type PartDigests, partSizeFor } from "../../protocol/upload-parts.ts";
import type { StoredObject } from "../object-store.ts";

/** A complete body with its digests, which can be read in slices. */
export interface BufferedBody extends AsyncDisposable, StoredObject {
  parts: PartDigests;
  slice(offset: number, size: number): Promise<Uint8Array>;
}

const IN_MEMORY = partSizeFor(0);

/**
 * Reads a body to its end, because S3 requires the digest before the first byte. A body larger than a part is
 * kept in a temporary file. Throws digest_mismatch, at the first byte too many.
 */
export async function bufferBody(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  expected: StoredObject | undefined,
): Promise<BufferedBody> {
  const whole = createHash("sha256");
  const chunks: Uint8Array[] = [];
  let size = 0;
  let file: FileHandle | undefined;
  const path = join(tmpdir(), `crowdai-object-${randomUUID()}`);
  const close = async () => {
    await file?.close();
    if (file) await rm(path, { force: true });
  };
  try {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      size += chunk.length;
      if (expected && size > expected.size) throw mismatch();
      whole.update(chunk);
      if (!file && size > IN_MEMORY) {
        file = await open(path, "wx+", 0o600);
        for (const earlier of chunks.splice(0)) await file.appendFile(earlier);
      }
      if (file) await file.appendFile(chunk);
      else chunks.push(chunk);
    }
    const sha256 = whole.digest("hex");
    if (expected && (size !== expected.size || sha256 !== expected.sha256)) throw mismatch();
    const bytes = file ? null : Buffer.concat(chunks.splice(0));
    const slice = async (offset: number, length: number) =>
      bytes ? bytes.subarray(offset, offset + length) : readSlice(file as FileHandle, offset, length);
    return { size, sha256, parts: await digestParts(size, slice), slice, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function digestParts(
  size: number,
  slice: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<PartDigests> {
  const partSize = partSizeFor(size);
  const md5: string[] = [];
  for (let offset = 0; offset === 0 || offset < size; offset += partSize) {
    const hash: Hash = createHash("md5");
    md5.push(hash.update(await slice(offset, Math.min(partSize, size - offset))).digest("hex"));
  }
  return { size: partSize, md5 };
}

async function readSlice(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(buffer, at, length - at, offset + at);
    if (bytesRead === 0) throw new Error("a temporary file was truncated");
    at += bytesRead;
  }
  return buffer;
}

function mismatch(): CrowdaiError {
  return new CrowdaiError("digest_mismatch", "The received bytes do not match the expected ones.");
}
