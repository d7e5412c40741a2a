import { constants } from "node:fs";
import { lstat, mkdir, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * The path of a key's file below `root`, or null when a folder on the way is missing and may not be made. Throws when one is
 * a link: somebody put it there, and what lies behind it is not the store's.
 */
export async function pathInTree(
  root: string,
  key: string,
  missing: "make" | "null",
): Promise<string | null> {
  const segments = key.split("/");
  let folder = root;
  for (const segment of segments.slice(0, -1)) {
    folder = join(folder, segment);
    if (missing === "make") await makeFolder(folder);
    const found = await lstat(folder).catch(nullIfMissing);
    if (found === null) return null;
    if (found.isSymbolicLink()) throw new Error(`${folder} is a link, which no object store makes.`);
    if (!found.isDirectory()) {
      if (missing === "null") return null;
      throw new Error(`${folder} is an object, so no other can lie in it.`);
    }
  }
  return join(folder, segments.at(-1)!);
}

/** Keys of the files below `root` that begin with `prefix`; links and other odd files are passed over. */
export async function* keysInTree(root: string, prefix: string): AsyncGenerator<string> {
  // Only the folders that the prefix leads into are read: a store may hold millions of objects.
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (folder.split("/").includes("..") || folder.startsWith("/")) return;
  yield* walk(folder);

  async function* walk(below: string): AsyncGenerator<string> {
    const entries = await readdir(join(root, below), { withFileTypes: true }).catch(nullIfMissing);
    for (const entry of entries ?? []) {
      const key = `${below}${entry.name}`;
      if (entry.isDirectory() && (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)))
        yield* walk(`${key}/`);
      else if (entry.isFile() && key.startsWith(prefix)) yield key;
    }
  }
}

/** Opens a file of the store for reading; null when there is none. A link in its place is refused. */
export async function openInTree(root: string, key: string) {
  const path = await pathInTree(root, key, "null");
  if (path === null) return null;
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    nullIfMissing,
  );
  if (handle === null || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return null;
}

/** A new name in a folder outlives a power cut only once the folder itself is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error;
  }
  await syncFolder(dirname(path));
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
  throw error;
}
