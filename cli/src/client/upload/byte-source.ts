import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { access, constants, open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { CrowdaiError, type PartDigests, partSizeFor } from "@crowdai/shared";
import { throwIfAborted } from "../../async/abort.ts";
import { fileError } from "./file-error.ts";
import { digestParts } from "./part-digests.ts";
import { type FilePath, findUndecodedPath, nameOf } from "./undecoded-path.ts";

/** Bytes whose size and digest are announced, and which can be read several times, in parts. */
export interface ByteSource {
  kind: "file" | "json";
  name: string | null;
  size: number;
  sha256: string;
  parts: PartDigests;
  /** Yields chunks, each valid until the next is requested. Throws file_changed if there are fewer bytes. */
  read(offset: number, size: number): AsyncIterable<Buffer>;
  /** Throws file_changed if the bytes may differ from those that were announced. */
  verify(): Promise<void>;
}

/** A file that was not read yet. */
export interface FileFacts {
  path: FilePath;
  name: string;
  size: number;
  stats: BigIntStats;
}

/** Checks a file without reading it. Throws file_missing, file_unreadable or file_empty. */
export async function inspectFile(named: string, givenName?: string): Promise<FileFacts> {
  const missing = await stat(named).then(
    () => false,
    () => true,
  );
  const undecoded = missing ? await findUndecodedPath(named) : null;
  const path = undecoded ?? named;
  const name = givenName ?? (undecoded ? nameOf(undecoded) : basename(named));
  const stats = await stat(path, { bigint: true }).catch((error) => {
    throw fileError(path, error);
  });
  if (!stats.isFile())
    throw new CrowdaiError("file_unreadable", `${path} is ${kindOf(stats)}, not a file.`, {
      next: "Give the path of a file, or - to read from stdin.",
    });
  await access(path, constants.R_OK).catch((error) => {
    throw fileError(path, error);
  });
  if (stats.size === 0n) throw new CrowdaiError("file_empty", `${path} is empty.`);
  return { path, name, size: Number(stats.size), stats };
}

/** Reads the file once for its digests. Throws file_changed if it changes in the meantime. */
export async function digestFile(
  facts: FileFacts,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<ByteSource> {
  const { path, name, size } = facts;
  const partSize = partSizeFor(size);
  const [sha256, md5] = await Promise.all([
    digestWhole(facts, options),
    digestParts({ path, size, partSize }, options.signal),
  ]).catch((error) => {
    throw fileError(path, error);
  });
  await verifyFile(facts);
  return {
    kind: "file",
    name,
    size,
    sha256,
    parts: { size: partSize, md5 },
    read: (offset, length) => readRange(path, offset, length),
    verify: () => verifyFile(facts),
  };
}

async function digestWhole(
  { path, size }: FileFacts,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<string> {
  const hash = createHash("sha256");
  let done = 0;
  // Stops at the known size: a file that another program keeps writing to would otherwise be read forever.
  for await (const chunk of readRange(path, 0, size, 1024 * 1024)) {
    throwIfAborted(options.signal);
    hash.update(chunk);
    done += chunk.length;
    options.onProgress?.(done, size);
  }
  return hash.digest("hex");
}

/** Returns the bytes of a JSON text. */
export function textSource(text: string, name: string | null = null): ByteSource {
  const bytes = Buffer.from(text);
  const partSize = partSizeFor(bytes.length);
  const md5: string[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += partSize)
    md5.push(
      createHash("md5")
        .update(bytes.subarray(at, at + partSize))
        .digest("hex"),
    );
  return {
    kind: "json",
    name,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    parts: { size: partSize, md5 },
    read: (offset, length) => slices(bytes.subarray(offset, offset + length)),
    verify: async () => {},
  };
}

async function verifyFile(facts: FileFacts): Promise<void> {
  const now = await stat(facts.path, { bigint: true }).catch(() => null);
  const same = (["dev", "ino", "size", "mtimeNs"] as const).every(
    (field) => now?.[field] === facts.stats[field],
  );
  if (!same) throw changed(facts.path);
}

const CHUNK = 256 * 1024;

/** Yields the bytes of a file in one buffer that is reused. Throws file_changed if there are fewer bytes. */
async function* readRange(
  path: FilePath,
  offset: number,
  length: number,
  chunk = CHUNK,
): AsyncGenerator<Buffer> {
  try {
    await using file = await open(path);
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunk, length));
    for (let done = 0; done < length; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - done), offset + done);
      if (bytesRead === 0) throw changed(path);
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

async function* slices(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

function changed(path: FilePath): CrowdaiError {
  return new CrowdaiError("file_changed", `${path} changed while it was being read.`);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
