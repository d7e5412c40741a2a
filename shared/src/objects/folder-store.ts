import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { OBJECT_KEY, type ObjectStore, type StoredObject } from "./object-store.ts";
import { readSignedUrl, type SignedRequest, signUrl } from "./signed-url.ts";

const UPLOAD_SECONDS = 600;
/** Beside each object stands its size and digest, written first: an object without it was never finished. */
const PROOF = ".proof.json";

export interface FolderStoreOptions {
  folder: string;
  /** Where `/objects/…` is served, without a slash at the end. */
  baseUrl: () => string;
  secret: string | Buffer;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export interface FolderStore extends ObjectStore {
  /** What a signed address allows; throws signature_invalid. */
  allowed(url: URL): SignedRequest;
}

/** Objects as files in a folder, reached through signed addresses of this broker. */
export async function createFolderStore(options: FolderStoreOptions): Promise<FolderStore> {
  const { folder, baseUrl, secret, now = Date.now } = options;
  const arriving = join(folder, "arriving");
  const stored = join(folder, "stored");
  // What was arriving when the process ended has no owner any more.
  await rm(arriving, { recursive: true, force: true });
  await mkdir(arriving, { recursive: true, mode: 0o700 });
  await mkdir(stored, { recursive: true, mode: 0o700 });

  function pathOf(key: string): string {
    if (!OBJECT_KEY.test(key) || key.endsWith(PROOF))
      throw new CrowdaiError("object_missing", "There is no such object.");
    return join(stored, ...key.split("/").filter(Boolean));
  }

  async function stat(key: string): Promise<StoredObject | null> {
    try {
      return JSON.parse(await readFile(pathOf(key) + PROOF, "utf8")) as StoredObject;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  /** Makes a finished file visible under the key; link(2) fails when there is one already. */
  async function publish(temporary: string, key: string, proof: StoredObject): Promise<void> {
    const path = pathOf(key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const before = await stat(key);
    if (before) return requireSame(before, proof);
    const proofFile = `${temporary}${PROOF}`;
    const handle = await open(proofFile, "wx", 0o600);
    await handle.writeFile(JSON.stringify(proof));
    await handle.sync();
    await handle.close();
    try {
      await rm(path, { force: true }); // bytes whose proof never came
      await link(temporary, path);
      await link(proofFile, path + PROOF);
      await syncFolder(dirname(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const other = await stat(key);
      if (other) requireSame(other, proof);
    } finally {
      await rm(proofFile, { force: true });
    }
  }

  // Two that write one key take turns, so that neither sees the other's half.
  const turns = new Map<string, Promise<unknown>>();
  function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (turns.get(key) ?? Promise.resolve()).catch(() => {}).then(work);
    turns.set(key, mine);
    const done = () => {
      if (turns.get(key) === mine) turns.delete(key);
    };
    mine.then(done, done);
    return mine;
  }

  async function remove(key: string): Promise<void> {
    const path = pathOf(key);
    await inTurn(key, async () => {
      await rm(path + PROOF, { force: true });
      await rm(path, { force: true });
    });
  }

  return {
    name: `folder ${folder}`,
    stat,
    allowed: (url) => readSignedUrl(url, secret, now()),

    async put(key, body) {
      pathOf(key);
      const temporary = join(arriving, randomUUID());
      const handle = await open(temporary, "wx", 0o600);
      try {
        const proof = await writeAll(handle, body);
        await handle.sync();
        await handle.close();
        await inTurn(key, () => publish(temporary, key, proof));
        return proof;
      } finally {
        await handle.close().catch(() => {});
        await rm(temporary, { force: true });
      }
    },

    async get(key, range) {
      if (!(await stat(key))) throw new CrowdaiError("object_missing", "There is no such object.");
      const handle = await open(pathOf(key), constants.O_RDONLY | constants.O_NOFOLLOW);
      return handle.createReadStream(range ? { start: range.start, end: range.end } : {});
    },

    remove,

    async *list(prefix) {
      for (const entry of await readdir(stored, { recursive: true, withFileTypes: true })) {
        const key = join(entry.parentPath, entry.name).slice(stored.length + 1);
        if (entry.isFile() && key.startsWith(prefix) && !key.endsWith(PROOF)) yield key;
      }
    },

    async planUpload(key, { size, sha256 }) {
      const expires = Math.floor(now() / 1000) + UPLOAD_SECONDS;
      const url = signUrl(baseUrl(), secret, { method: "PUT", key, expires, size, sha256 });
      const part = { number: 1, offset: 0, size, method: "PUT" as const, url, headers: {} };
      return { parts: (await stat(key)) ? [] : [part], expires_at: new Date(expires * 1000).toISOString() };
    },

    async finishUpload(key, wanted) {
      const found = await stat(key);
      if (!found) throw new CrowdaiError("upload_missing");
      if (found.size === wanted.size && found.sha256 === wanted.sha256) return;
      await remove(key);
      throw new CrowdaiError("digest_mismatch");
    },

    async signGet(key, { seconds, name, type }) {
      const expires = Math.floor(now() / 1000) + seconds;
      pathOf(key);
      return signUrl(baseUrl(), secret, {
        method: "GET",
        key,
        expires,
        ...(name ? { name } : {}),
        ...(type ? { type } : {}),
      });
    },

    async close() {},
  };
}

function requireSame(before: StoredObject, now: StoredObject): void {
  if (before.size !== now.size || before.sha256 !== now.sha256) throw new CrowdaiError("object_exists");
}

async function writeAll(
  handle: FileHandle,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<StoredObject> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    hash.update(chunk);
    size += chunk.length;
    for (let written = 0; written < chunk.length; )
      written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten;
  }
  return { size, sha256: hash.digest("hex") };
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}
