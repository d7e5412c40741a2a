import { lstat, readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { CrowdaiError } from "../protocol/errors.ts";
import { syncFolder } from "./durable-files.ts";
import { OBJECT_KEY } from "./object-store.ts";

// Keys contain no "@", so that no key's file can be another key's folder or metadata.
const BYTES = "@bytes";
const METADATA = "@proof";

/** The paths of a folder store. */
export interface ObjectPaths {
  stored: string;
  /** Beside `stored`, because a hard link cannot leave its file system. */
  incoming: string;
  /** Returns the two files of an object. Throws object_missing for an invalid key. */
  of(key: string): { bytes: string; metadata: string };
  /** Throws store_unreachable when a link leads out of the store. */
  requireInside(folder: string): Promise<void>;
}

export async function objectPathsIn(folder: string, arriving = "arriving"): Promise<ObjectPaths> {
  const stored = join(folder, "stored");
  const incoming = join(folder, arriving);
  makeFolder(stored, 0o700);
  makeFolder(incoming, 0o700);
  await syncFolder(folder);
  await syncFolder(dirname(folder));
  const realRoot = await realpath(stored);
  return {
    stored,
    incoming,
    of(key) {
      if (!OBJECT_KEY.test(key)) throw new CrowdaiError("object_missing");
      const path = join(stored, key);
      return { bytes: path + BYTES, metadata: path + METADATA };
    },
    async requireInside(inner) {
      // A missing folder will be made below the existing part of its path.
      let existing = inner;
      let real = await realPathOf(existing);
      for (; real === null && existing.length > stored.length; real = await realPathOf(existing))
        existing = dirname(existing);
      if (real === realRoot + existing.slice(stored.length)) return;
      throw new CrowdaiError("store_unreachable", "A link leads out of the object store.");
    },
  };
}

/**
 * Returns null when nothing exists at the path, and "" for a broken link. Throws when the system cannot say.
 */
async function realPathOf(path: string): Promise<string | null> {
  const isThere = await lstat(path).catch(unlessMissing(null));
  return isThere && realpath(path).catch(unlessMissing(""));
}

const unlessMissing =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code ?? "")) return value;
    throw error;
  };

/**
 * Yields the keys of complete objects that start with `prefix`. Reads only folders that can contain such
 * keys.
 */
export async function* keysBelow(paths: ObjectPaths, prefix: string): AsyncGenerator<string> {
  if (prefix !== "" && !OBJECT_KEY.test(prefix.replace(/\/$/, ""))) return;
  const parent = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  for await (const key of keysIn(paths.stored, parent, prefix)) if (key.startsWith(prefix)) yield key;
}

async function* keysIn(stored: string, parent: string, prefix: string): AsyncGenerator<string> {
  const entries = await readdir(join(stored, parent), { withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  for (const entry of entries) {
    const path = parent + entry.name;
    if (entry.isFile() && path.endsWith(METADATA)) yield path.slice(0, -METADATA.length);
    if (entry.isDirectory() && (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`)))
      yield* keysIn(stored, `${path}/`, prefix);
  }
}
