import { createHash } from "node:crypto";
import { type BigIntStats, createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { throwIfAborted } from "./abort.ts";

/** Bytes that are announced by size and digest and can be read again, in parts. */
export interface ByteSource {
  kind: "file" | "json";
  name: string | null;
  size: number;
  sha256: string;
  read(offset: number, size: number): Readable;
  /** Throws file_changed when the bytes may no longer be those that were announced. */
  verify(): Promise<void>;
}

export interface FileFacts {
  path: string;
  name: string;
  size: number;
  stats: BigIntStats;
}

/** What can be told of a file without reading it. Throws file_missing, file_unreadable or file_empty. */
export async function inspectFile(path: string, name = basename(path)): Promise<FileFacts> {
  const stats = await stat(path, { bigint: true }).catch((error) => {
    throw fileError(path, error);
  });
  if (!stats.isFile())
    throw new CrowdaiError("file_unreadable", `${path} is ${kindOf(stats)}, not a file.`, {
      next: "Name a file, or use - and pipe into it.",
    });
  await access(path, constants.R_OK).catch((error) => {
    throw fileError(path, error);
  });
  if (stats.size === 0n) throw new CrowdaiError("file_empty", `${path} is empty.`);
  return { path, name, size: Number(stats.size), stats };
}

/** Reads the file once for its digest. Throws file_changed when it changes meanwhile. */
export async function digestFile(
  facts: FileFacts,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<ByteSource> {
  const { path, name, size } = facts;
  const hash = createHash("sha256");
  let done = 0;
  try {
    for await (const chunk of createReadStream(path, {
      highWaterMark: 1024 * 1024,
    }) as AsyncIterable<Buffer>) {
      throwIfAborted(options.signal);
      hash.update(chunk);
      done += chunk.length;
      // A file that something goes on writing to would otherwise be read forever.
      if (done > size) throw changed(path);
      options.onProgress?.(done, size);
    }
  } catch (error) {
    throw fileError(path, error);
  }
  if (done !== size) throw changed(path);
  await verifyFile(facts);
  return {
    kind: "file",
    name,
    size,
    sha256: hash.digest("hex"),
    read: (offset, length) => {
      const stream = createReadStream(path, {
        start: offset,
        end: offset + length - 1,
        highWaterMark: 256 * 1024,
      });
      return Readable.from(whole(stream, length, path), { objectMode: false, highWaterMark: 256 * 1024 });
    },
    verify: () => verifyFile(facts),
  };
}

/** A JSON text as bytes. */
export function textSource(text: string, name: string | null = null): ByteSource {
  const bytes = Buffer.from(text);
  return {
    kind: "json",
    name,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    read: (offset, length) =>
      Readable.from(slices(bytes.subarray(offset, offset + length)), { objectMode: false }),
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

async function* whole(stream: AsyncIterable<Buffer>, length: number, path: string): AsyncGenerator<Buffer> {
  let done = 0;
  try {
    for await (const chunk of stream) {
      done += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw fileError(path, error);
  }
  if (done < length) throw changed(path);
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 256 * 1024) yield bytes.subarray(at, at + 256 * 1024);
}

function changed(path: string): CrowdaiError {
  return new CrowdaiError("file_changed", `${path} changed while it was read.`);
}

/** Names what the system said of a file. */
export function fileError(path: string, error: unknown): unknown {
  if (error instanceof CrowdaiError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code) return error;
  const options = { cause: error, details: { path, reason: code } };
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CrowdaiError("file_missing", `There is no file ${path}.`, options);
  if (code === "EACCES" || code === "EPERM")
    return new CrowdaiError("file_unreadable", `${path} may not be read by you.`, options);
  return new CrowdaiError("file_unreadable", `${path} cannot be read: ${message}.`, options);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
