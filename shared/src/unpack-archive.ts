import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { type Entry, openPromise } from "yauzl";
import { isInside, unpackEntries } from "./bundles/unpack-entries.ts";
import { CrowdaiError } from "./protocol/errors.ts";
import { systemCodeOf } from "./system-code.ts";

export interface UnpackLimits {
  /** Folders count too. */
  maxFiles: number;
  /** Unpacked. */
  maxBytes: number;
}

/** An entry of an archive, of either format. */
interface ArchiveEntry {
  name: string;
  kind: "file" | "folder" | "other";
  body: AsyncIterable<Uint8Array>;
}

/** Errors of the file system that the names in an archive cause. */
const CAUSED_BY_NAMES = ["EEXIST", "EISDIR", "ENOTDIR", "ENAMETOOLONG", "ELOOP"];

/**
 * Unpacks a zip, tar or tar.gz file into `into`, a new folder. Throws archive_invalid for another format, a
 * damaged archive, links, names that lead out of the folder, and more than the limits.
 */
export async function unpackArchive(
  path: string,
  into: string,
  limits: UnpackLimits,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(into, { mode: 0o700 });
  const write = createWriter(into, limits, signal);
  try {
    const format = await formatOf(path);
    if (format === "zip") await readZip(path, write);
    else await readTar(path, format === "gzip", limits, write);
  } catch (error) {
    const code = systemCodeOf(error);
    if (error instanceof CrowdaiError || signal.aborted || (code && !CAUSED_BY_NAMES.includes(code)))
      throw error;
    throw invalid(code ? `its names collide or are too long (${code})` : (error as Error).message);
  }
}

async function formatOf(path: string): Promise<"zip" | "gzip" | "tar"> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.subarray(0, 2).equals(Buffer.from("PK"))) return "zip";
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  throw invalid("it is not a zip, tar or tar.gz file");
}

function createWriter(into: string, { maxFiles, maxBytes }: UnpackLimits, signal: AbortSignal) {
  let files = 0;
  let bytes = 0;
  const count = (more: number) => {
    files += more;
    if (files > maxFiles) throw invalid(`it contains more than ${maxFiles} files and folders`);
  };
  return async ({ name, kind, body }: ArchiveEntry): Promise<void> => {
    signal.throwIfAborted();
    const plain = name.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "");
    if (plain === "" || plain === ".") return;
    count(1);
    const shown = JSON.stringify(plain.slice(0, 200));
    if (!isInside(plain)) throw invalid(`it contains the name ${shown}`);
    if (kind === "other") throw invalid(`${shown} is a link or a device`);
    const path = join(into, plain);
    const folder = kind === "folder" ? path : dirname(path);
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    // A name can make hundreds of folders that are not entries themselves.
    const made = first === undefined ? 0 : depthOf(folder) - depthOf(first) + 1;
    if (kind === "folder") return count(Math.max(0, made - 1));
    count(made);
    await using file = await open(path, "wx", 0o600);
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw invalid(`it contains more than ${maxBytes} bytes`);
      signal.throwIfAborted();
      await file.write(chunk);
    }
  };
}

const depthOf = (path: string) => resolve(path).split(sep).length;

type Write = ReturnType<typeof createWriter>;

async function readTar(path: string, isZipped: boolean, limits: UnpackLimits, write: Write): Promise<void> {
  const file = createReadStream(path);
  // An error of the file also ends the reading below.
  const source = isZipped ? pipeline(file, createGunzip(), () => {}) : file;
  await unpackEntries(atMost(limits, source as AsyncIterable<Uint8Array>), async (entries) => {
    for await (const { header, body } of entries) {
      const kind = header.type === "file" ? "file" : header.type === "directory" ? "folder" : "other";
      await write({ name: header.name, kind, body });
      if (kind !== "file") await body.cancel();
    }
  });
}

/** Limits the headers and the padding too, which are not written. */
async function* atMost(
  { maxBytes, maxFiles }: UnpackLimits,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const most = maxBytes + maxFiles * 2048;
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > most) throw invalid(`it contains more than ${maxBytes} bytes`);
    yield chunk;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
const NOTHING = nothing();

async function readZip(path: string, write: Write): Promise<void> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const kind = kindOf(entry);
      if (kind !== "file") {
        await write({ name: entry.fileName, kind, body: NOTHING });
        continue;
      }
      const body = await zip.openReadStreamPromise(entry);
      try {
        await write({ name: entry.fileName, kind, body: body as AsyncIterable<Uint8Array> });
      } finally {
        // A stream that is left unread would keep the archive open.
        body.destroy();
      }
    }
  } finally {
    zip.close();
  }
}

/** Zip files of Unix hold the type of a file in the upper half of its attributes. */
function kindOf({ fileName, externalFileAttributes, versionMadeBy }: Entry): ArchiveEntry["kind"] {
  const type = versionMadeBy >> 8 === 3 ? (externalFileAttributes >>> 16) & 0o170000 : 0;
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) return "other";
  return type === 0o040000 || fileName.endsWith("/") ? "folder" : "file";
}

function invalid(reason: string): CrowdaiError {
  return new CrowdaiError("archive_invalid", `The archive cannot be unpacked: ${reason}.`);
}
