import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { link, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { CrowdaiError } from "@crowdai/shared";
import type { ObjectStore, StoredObject } from "@crowdai/shared/objects";
import { digestFile, syncPath } from "./digest-file.ts";
import { type Manifest, OBJECT_LIST, objectFile } from "./manifest.ts";

/**
 * Copies all objects of the broker, one at a time, and lists them. An object never changes, so copying after
 * the records gets all that they name, but what was removed meanwhile. Objects of other programs in the same
 * bucket have no digest, and are left out.
 */
export async function backUpObjects(
  objects: ObjectStore,
  folder: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress(count: number): void },
): Promise<Manifest["objects"]> {
  const path = join(folder, OBJECT_LIST);
  const list = await open(path, "wx", 0o600);
  let [count, bytes] = [0, 0];
  try {
    for await (const key of objects.list("")) {
      if (signal.aborted) throw new CrowdaiError("interrupted", "The backup was interrupted.");
      const found = await objects.stat(key);
      if (!found?.sha256) continue;
      if (!(await copyObject(objects, key, found, folder))) continue;
      await list.write(`${JSON.stringify({ key, size: found.size, sha256: found.sha256 })}\n`);
      count++;
      bytes += found.size;
      if (count % 1000 === 0) onProgress(count);
    }
    await list.sync();
  } finally {
    await list.close();
  }
  return { ...(await digestFile(path)), count, bytes };
}

/** Returns false when the object was removed meanwhile. */
async function copyObject(
  objects: ObjectStore,
  key: string,
  { size, sha256 }: StoredObject,
  folder: string,
): Promise<boolean> {
  const path = objectFile(folder, sha256);
  if (await stat(path).catch(() => null)) return true;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.partial`;
  const hash = createHash("sha256");
  let read = 0;
  async function* bytes() {
    for await (const chunk of await objects.get(key)) {
      hash.update(chunk);
      read += chunk.length;
      yield chunk;
    }
  }
  try {
    await pipeline(bytes, createWriteStream(partial, { flags: "wx", mode: 0o600 }));
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof CrowdaiError && error.code === "object_missing") return false;
    throw error;
  }
  if (read !== size || hash.digest("hex") !== sha256)
    throw new CrowdaiError("store_unreachable", `The stored object ${key} is damaged: its digest differs.`, {
      next: "Restore this object from an earlier backup, then try again.",
    });
  await syncPath(partial);
  await link(partial, path);
  await rm(partial);
  return true;
}
