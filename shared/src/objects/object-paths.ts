import { lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { OBJECT_KEY } from "./object-store.ts";

// Keys hold no "@", so no key's file can be another key's folder, or its proof.
const BYTES = "@bytes";
const PROOF = "@proof";

/** Where the objects of a folder are. */
export interface ObjectPaths {
  stored: string;
  /** Beside `stored`, on the same file system, for a link cannot leave it. */
  incoming: string;
  /** The two files of an object. Throws object_missing for what is no key. */
  of(key: string): { bytes: string; proof: string };
  /** Throws store_unreachable when a link leads out of the store. */
  requireInside(folder: string): Promise<void>;
}

export async function objectPathsIn(folder: string, arriving = "arriving"): Promise<ObjectPaths> {
  const stored = join(folder, "stored");
  const incoming = join(folder, arriving);
  await mkdir(stored, { recursive: true, mode: 0o700 });
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  const realRoot = await realpath(stored);
  return {
    stored,
    incoming,
    of(key) {
      if (!OBJECT_KEY.test(key)) throw new CrowdaiError("object_missing");
      const path = join(stored, key);
      return { bytes: path + BYTES, proof: path + PROOF };
    },
    async requireInside(inner) {
      // What is not there yet will be made below what is.
      let existing = inner;
      let real = await realPathOf(existing);
      for (; real === null && existing.length > stored.length; real = await realPathOf(existing))
        existing = dirname(existing);
      if (real === realRoot + existing.slice(stored.length)) return;
      throw new CrowdaiError("store_unreachable", "A link leads out of the object store.");
    },
  };
}

/** Null when there is nothing; a link that leads nowhere is not nothing. */
async function realPathOf(path: string): Promise<string | null> {
  const isThere = await lstat(path).catch(() => null);
  return isThere && realpath(path).catch(() => "");
}

/** Keys of complete objects that begin with `prefix`. Reads no folder that cannot hold one. */
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
    if (entry.isFile() && path.endsWith(PROOF)) yield path.slice(0, -PROOF.length);
    if (entry.isDirectory() && (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`)))
      yield* keysIn(stored, `${path}/`, prefix);
  }
}
