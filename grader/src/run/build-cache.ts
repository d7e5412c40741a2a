import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeReadable } from "../base/make-readable.ts";

const MAX_IDLE_BYTES = 4 * 1024 ** 3;
const MAX_IDLE = 64;

/** The result of a build, which stays on disk until it is disposed. */
export interface HeldBuild extends Disposable {
  readonly dir: string;
}

/** Results of builds, by the digest of all that they depend on. */
export interface BuildCache {
  /** Returns null when there is none. */
  hold(digest: string): HeldBuild | null;
  /** Returns a new, empty folder for a result. */
  newFolder(): Promise<string>;
  /** Takes such a folder over. Of two results with one digest, the first stays. */
  store(digest: string, folder: string): Promise<HeldBuild>;
  close(): Promise<void>;
}

interface Entry {
  dir: string;
  bytes: number;
  holders: number;
  /** Serial number of the latest use. */
  used: number;
}

/** Keeps results below `dir`, which only this cache uses. */
export function createBuildCache(dir: string): BuildCache {
  const entries = new Map<string, Entry>();
  let uses = 0;

  function hold(digest: string): HeldBuild | null {
    const entry = entries.get(digest);
    if (!entry) return null;
    entry.holders++;
    entry.used = ++uses;
    return {
      dir: entry.dir,
      [Symbol.dispose]() {
        entry.holders--;
        trim();
      },
    };
  }

  /** Removes the results whose latest use is longest ago. */
  function trim(): void {
    const idle = [...entries]
      .filter(([, { holders }]) => holders === 0)
      .sort(([, a], [, b]) => b.used - a.used);
    let bytes = 0;
    idle.forEach(([digest, entry], place) => {
      bytes += entry.bytes;
      if (place < MAX_IDLE && bytes <= MAX_IDLE_BYTES) return;
      entries.delete(digest);
      // An entry that cannot be removed now is removed with the folder of the cache.
      rm(entry.dir, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    });
  }

  return {
    hold,
    async newFolder() {
      const folder = join(dir, `new-${randomUUID()}`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return folder;
    },
    async store(digest, folder) {
      if (entries.has(digest)) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      else {
        makeReadable(folder);
        const bytes = await sizeOf(folder);
        const named = join(dir, `built-${randomUUID()}`);
        await rename(folder, named);
        if (!entries.has(digest)) entries.set(digest, { dir: named, bytes, holders: 0, used: ++uses });
      }
      return hold(digest)!;
    },
    async close() {
      entries.clear();
      if (existsSync(dir)) await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Links are not followed, as a recursive readdir does: they may lead in a circle. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    else if (entry.isFile()) bytes += (await stat(path)).size;
  }
  return bytes;
}
