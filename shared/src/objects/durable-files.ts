import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";

/** What a body must be. */
export type Expected = { size: number } & ({ sha256: string } | { md5: string });

/** What a body was. */
export interface Written {
  size: number;
  /** SHA-256, or MD5 where that was expected; in hexadecimal digits. */
  digest: string;
}

/** Files on their way: written and durable, but not yet visible under a key. */
export interface Incoming {
  /** Writes a body, checks it, and hands the file to `publish`; the file is gone afterwards, whatever happens. */
  take<T>(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    expected: Expected | undefined,
    publish: (path: string, written: Written) => Promise<T>,
  ): Promise<T>;
  /** Writes a small file; the caller removes it. */
  write(text: string): Promise<string>;
}

/** Removes what processes left behind that are gone. */
export async function createIncoming(folder: string): Promise<Incoming> {
  for (const name of await readdir(folder))
    if (!isOfLivingProcess(name)) await rm(join(folder, name), { recursive: true, force: true });
  const newName = () => join(folder, `${process.pid}-${randomUUID()}`);
  return {
    async take(body, expected, publish) {
      const path = newName();
      const handle = await open(path, "wx", 0o600);
      try {
        const written = await writeAll(handle, body, expected);
        await handle.sync();
        await handle.close();
        return await publish(path, written);
      } finally {
        await handle.close().catch(() => {});
        await rm(path, { force: true });
      }
    },
    async write(text) {
      const path = newName();
      const handle = await open(path, "wx", 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return path;
    },
  };
}

/** Another process may write here while this one starts; of this one's own number, the file is from a life before. */
function isOfLivingProcess(name: string): boolean {
  const pid = Number(name.split("-")[0]);
  if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function writeAll(
  handle: FileHandle,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  expected: Expected | undefined,
): Promise<Written> {
  const isPart = expected !== undefined && "md5" in expected;
  const hash = createHash(isPart ? "md5" : "sha256");
  let size = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    size += chunk.length;
    if (expected && size > expected.size)
      throw mismatch(`${expected.size} bytes were announced and more came`);
    hash.update(chunk);
    for (let written = 0; written < chunk.length; )
      written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten;
  }
  const digest = hash.digest("hex");
  if (!expected) return { size, digest };
  if (size !== expected.size) throw mismatch(`${expected.size} bytes were announced and ${size} came`);
  if (digest !== ("md5" in expected ? expected.md5 : expected.sha256))
    throw mismatch(`their ${isPart ? "MD5" : "SHA-256"} is not the one that was announced`);
  return { size, digest };
}

function mismatch(reason: string): CrowdaiError {
  return new CrowdaiError(
    "digest_mismatch",
    `The bytes that arrived are not the bytes that were announced: ${reason}.`,
  );
}

/** Makes a folder below `root`, so that it is still there after a power cut. */
export async function makeFolder(folder: string, root: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // A new folder is an entry of the one above it, and that is what must reach the disk.
  for (let above = dirname(folder); above.length >= root.length; above = dirname(above)) {
    await syncFolder(above);
    if (above === dirname(first)) return;
  }
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** What the folder could not do, as store_unreachable; everything else as it is. */
export function folderFailure(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof CrowdaiError || syscall === undefined || code === undefined) return error;
  return new CrowdaiError("store_unreachable", `The object store's folder failed (${code}).`, {
    cause: error,
  });
}
