import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import type { FilePart } from "../protocol/upload-parts.ts";
import { folderFailure, type Incoming, syncFolder } from "./durable-files.ts";

/** The parts of unfinished uploads, each a file that was verified on arrival. */
export interface FolderParts {
  /** Stores one part. Throws digest_mismatch. */
  take(
    key: string,
    part: Omit<FilePart, "offset">,
    body: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** Returns the parts that have not arrived. */
  missing(key: string, parts: readonly FilePart[]): Promise<FilePart[]>;
  /** Yields the bytes of the parts, in order. */
  read(key: string, parts: readonly FilePart[]): AsyncGenerator<Uint8Array>;
  remove(key: string): Promise<void>;
  /** Removes uploads whose first part arrived before `before`. Returns their number. */
  removeOlder(before: number): Promise<number>;
}

export async function folderPartsIn(folder: string, incoming: Incoming): Promise<FolderParts> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Hashed names have one length, so that no upload's folder is inside another's.
  const folderOf = (key: string) => join(folder, createHash("sha256").update(key).digest("hex"));
  const remove = (path: string) => rm(path, { recursive: true, force: true });

  return {
    async take(key, part, body) {
      try {
        await incoming.take(body, { size: part.size, md5: part.md5 }, async (arrived) => {
          const home = folderOf(key);
          await mkdir(home, { recursive: true, mode: 0o700 });
          await link(arrived, join(home, nameOf(part))).catch((error) => {
            // The same part arrived before.
            if (error.code !== "EEXIST") throw error;
          });
          await syncFolder(home);
        });
      } catch (error) {
        throw folderFailure(error);
      }
    },

    async missing(key, parts) {
      const there = new Set(await namesIn(folderOf(key)));
      return parts.filter((part) => !there.has(nameOf(part)));
    },

    async *read(key, parts) {
      for (const part of parts) {
        const path = join(folderOf(key), nameOf(part));
        const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error) => {
          throw error.code === "ENOENT" ? new CrowdaiError("upload_missing") : folderFailure(error);
        });
        yield* handle.createReadStream({ highWaterMark: 1024 * 1024 });
      }
    },

    remove: (key) => remove(folderOf(key)),

    async removeOlder(before) {
      let removed = 0;
      for (const name of await namesIn(folder)) {
        const home = join(folder, name);
        if ((await firstArrival(home)) >= before) continue;
        await remove(home);
        removed++;
      }
      return removed;
    },
  };
}

// The digest is part of the name, because a part with another digest is a different part.
const nameOf = ({ number, md5 }: Omit<FilePart, "offset">) => `${number}-${md5}`;

async function firstArrival(home: string): Promise<number> {
  const times = (await namesIn(home)).map((name) => stat(join(home, name)).then(({ mtimeMs }) => mtimeMs));
  const known = await Promise.allSettled(times);
  const arrivals = known.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  // An empty folder awaits its first part, or was left by a process that exited.
  return arrivals.length > 0 ? Math.min(...arrivals) : (await stat(home)).mtimeMs;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw folderFailure(error);
  });
}
