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

/** Returns the entry's own stats, not those of a link's target. */
export function lstatEntry(path: string | Buffer): BigIntStats | "missing" | "unreadable" {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    return isGone(error) ? "missing" : "unreadable";
  }
}

export interface FileContent {
  bytes: Buffer;
  /** What it looked like when its last byte was read. */
  stats: BigIntStats;
  /** Whether it changed each time it was read. */
  unsteady: boolean;
}

const MAX_TRIES = 3;

/**
 * The whole of a regular file, or of a link's target, as it is at one time, and never more than the most and one byte. Never follows a
 * link, never waits for a pipe. Unreadable is also what is neither any more.
 */
export function readEntry(
  path: string | Buffer,
  isLink: boolean,
  most: number,
): FileContent | "missing" | "unreadable" {
  try {
    return (isLink ? readLink(path) : readRegular(path, most)) ?? "unreadable";
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

function readRegular(path: string | Buffer, most: number): FileContent | null {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    let before = fstatSync(fd, { bigint: true });
    if (!before.isFile()) return null;
    for (let attempt = 1; ; attempt++) {
      const bytes = readAll(fd, Math.min(Number(before.size), most + 1));
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
