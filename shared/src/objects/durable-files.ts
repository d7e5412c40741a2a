import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";

/** The announced size and digest of a body. */
export type Expected = { size: number } & ({ sha256: string } | { md5: string });

/** The size and digest of a written body. */
export interface Written {
  size: number;
  /** SHA-256, or MD5 when that was expected, in hexadecimal. */
  digest: string;
}

/** Incoming files: written and durable, but not yet visible under a key. */
export interface Incoming {
  /** Writes and verifies a body, and passes the file to `publish`. Always removes the file afterwards. */
  take<T>(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    expected: Expected | undefined,
    publish: (path: string, written: Written) => Promise<T>,
  ): Promise<T>;
  /** Writes a small file; the caller removes it. */
  write(text: string): Promise<string>;
}

/** Opens the folder, and removes the files of processes that no longer exist. */
export async function createIncoming(folder: string): Promise<Incoming> {
  for (const name of await readdir(folder))
    if (!isOfRunningProcess(name)) await rm(join(folder, name), { recursive: true, force: true });
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

/** Another process may be writing here. A file with this process's own id is from an earlier process. */
function isOfRunningProcess(name: string): boolean {
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
    if (expected && size > expected.size) throw mismatch(`expected ${expected.size} bytes, received more`);
    hash.update(chunk);
    for (let written = 0; written < chunk.length; )
      written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten;
  }
  const digest = hash.digest("hex");
  if (!expected) return { size, digest };
  if (size !== expected.size) throw mismatch(`expected ${expected.size} bytes, received ${size}`);
  if (digest !== ("md5" in expected ? expected.md5 : expected.sha256))
    throw mismatch(`the ${isPart ? "MD5" : "SHA-256"} digest differs`);
  return { size, digest };
}

function mismatch(reason: string): CrowdaiError {
  return new CrowdaiError(
    "digest_mismatch",
    `The received bytes do not match the announced ones: ${reason}.`,
  );
}

/** Folders whose own entries are synced, and those of the folders above them. */
const durable = new Set<string>();

/** Makes a folder below `root`, which is durable, so that it survives a power failure. */
export async function makeDurableFolder(folder: string, root: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A new folder is an entry in its parent, which must be synced: also where another call, which may not have
  // synced it yet, made it.
  const synced: string[] = [];
  for (let above = dirname(folder); above.length >= root.length; above = dirname(above)) {
    await syncFolder(above);
    if (durable.has(above)) break;
    synced.push(above);
  }
  for (const above of synced) durable.add(above);
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** Converts a file system error to store_unreachable, and returns any other error unchanged. */
export function folderFailure(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof CrowdaiError || syscall === undefined || code === undefined) return error;
  return new CrowdaiError("store_unreachable", `The object store folder cannot be accessed (${code}).`, {
    cause: error,
  });
}
