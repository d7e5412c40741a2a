import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
} from "node:fs";

/** Returns the stats of the entry itself, never those of a link's target. */
export function lstatEntry(path: string | Buffer): BigIntStats | "missing" | "unreadable" {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    return isGone(error) ? "missing" : "unreadable";
  }
}

export interface FileContent {
  bytes: Buffer;
  /** Its stats after the last byte was read. */
  stats: BigIntStats;
  /** Whether it changed during every attempt to read it. */
  unsteady: boolean;
}

const MAX_TRIES = 3;

/**
 * Reads a whole regular file, or the target path of a link, as it is at one point in time; at most
 * `maxBytes` + 1 bytes. Never follows a link, never waits for a pipe. An entry that has become something else
 * counts as unreadable.
 */
export function readEntry(
  path: string | Buffer,
  isLink: boolean,
  maxBytes: number,
): FileContent | "missing" | "unreadable" {
  try {
    return (isLink ? readLink(path) : readRegular(path, maxBytes)) ?? "unreadable";
  } catch (error) {
    return isGone(error) ? "missing" : "unreadable";
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

function readLink(path: string | Buffer): FileContent {
  const stats = lstatSync(path, { bigint: true });
  return { bytes: readlinkSync(path, { encoding: "buffer" }), stats, unsteady: false };
}

function readRegular(path: string | Buffer, maxBytes: number): FileContent | null {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    let before = fstatSync(fd, { bigint: true });
    if (!before.isFile()) return null;
    for (let attempt = 1; ; attempt++) {
      const bytes = readAll(fd, Math.min(Number(before.size), maxBytes + 1));
      const stats = fstatSync(fd, { bigint: true });
      const steady =
        stats.size === before.size && stats.mtimeNs === before.mtimeNs && bytes.length === Number(stats.size);
      if (steady || attempt === MAX_TRIES) return { bytes, stats, unsteady: !steady };
      before = stats;
    }
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  while (at < size) {
    const read = readSync(fd, bytes, at, size - at, at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
