import { constants } from "node:fs";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { createIncoming, folderFailure, makeFolder, syncFolder } from "./durable-files.ts";
import { createKeyLock } from "./key-lock.ts";
import { keysBelow, type ObjectPlaces, placesIn } from "./object-places.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";
import { readSignedUrl, type SignedRequest, signUrl } from "./signed-url.ts";

/** An address must be used within this time; the transfer itself may last longer. */
const UPLOAD_SECONDS = 900;

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

/**
 * Objects as files in a folder, reached through signed addresses of this broker.
 *
 * An object is two files: its bytes, and a proof with their size and digest, which is linked into place last. So an object
 * exists when its proof does, and `stat` reads no more than that.
 */
export async function createFolderStore(options: FolderStoreOptions): Promise<FolderStore> {
  const { folder, baseUrl, secret, now = Date.now } = options;
  const places = await placesIn(folder);
  const incoming = await createIncoming(places.incoming);
  const lock = createKeyLock();

  async function stat(key: string): Promise<StoredObject | null> {
    const { proof } = places.of(key);
    try {
      await places.requireInside(dirname(proof));
      return JSON.parse(await readFile(proof, "utf8")) as StoredObject;
    } catch (error) {
      if (isCode(error, "ENOENT", "ENOTDIR")) return null;
      throw folderFailure(error);
    }
  }

  async function remove(key: string): Promise<void> {
    const { bytes, proof } = places.of(key);
    await places.requireInside(dirname(proof));
    await rm(proof, { force: true });
    await rm(bytes, { force: true });
  }

  return {
    name: `folder ${folder}`,
    stat,
    allowed: (url) => readSignedUrl(url, secret, now()),

    async put(key, body, { expected } = {}) {
      places.of(key);
      try {
        return await incoming.take(body, expected, (arrived, found) =>
          lock(key, async () => {
            const before = await stat(key);
            if (before) requireSame(before, found);
            else await publish(places, key, arrived, await incoming.write(JSON.stringify(found)));
            return found;
          }),
        );
      } catch (error) {
        throw folderFailure(error);
      }
    },

    async get(key, range) {
      const found = await stat(key);
      if (!found) throw missing();
      const { start = 0, end = found.size - 1 } = range ?? {};
      return readBytes(places.of(key).bytes, { start, end: Math.min(end, found.size - 1) });
    },

    remove: (key) => lock(key, () => remove(key)),

    list: (prefix) => keysBelow(places, prefix),

    async planUpload(key, wanted) {
      const before = await stat(key);
      if (before) requireSame(before, wanted);
      const expires = Math.floor(now() / 1000) + UPLOAD_SECONDS;
      const url = signUrl(baseUrl(), secret, { method: "PUT", key, expires, ...pick(wanted) });
      const part = { number: 1, offset: 0, size: wanted.size, method: "PUT" as const, url, headers: {} };
      return { parts: before ? [] : [part], expires_at: new Date(expires * 1000).toISOString() };
    },

    async finishUpload(key, wanted) {
      const found = await stat(key);
      if (!found) throw new CrowdaiError("upload_missing");
      if (isSame(found, wanted)) return;
      await lock(key, () => remove(key));
      throw new CrowdaiError("digest_mismatch");
    },

    async signGet(key, { seconds, name, type }) {
      places.of(key);
      const expires = Math.floor(now() / 1000) + seconds;
      return signUrl(baseUrl(), secret, { method: "GET", key, expires, name, type });
    },

    async close() {},
  };
}

/** Makes a finished file visible under the key. link(2) never overwrites, whoever else writes here. */
async function publish(
  places: ObjectPlaces,
  key: string,
  arrived: string,
  proofArrived: string,
): Promise<void> {
  const { bytes, proof } = places.of(key);
  try {
    await places.requireInside(dirname(bytes));
    await makeFolder(dirname(bytes), places.stored);
    // Bytes whose proof never came: the process ended in between.
    await rm(bytes, { force: true });
    await link(arrived, bytes);
    await syncFolder(dirname(bytes));
    await link(proofArrived, proof);
    await syncFolder(dirname(bytes));
  } finally {
    await rm(proofArrived, { force: true });
  }
}

/** Opened when read, so that nobody who never reads keeps a file open. */
async function* readBytes(path: string, range: { start: number; end: number }): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error) => {
    throw isCode(error, "ENOENT", "ENOTDIR", "ELOOP") ? missing() : folderFailure(error);
  });
  let missingBytes = range.end - range.start + 1;
  if (missingBytes <= 0) return handle.close();
  // Closes the file when it is read to its end or let go of before.
  for await (const chunk of handle.createReadStream({ highWaterMark: 256 * 1024, ...range })) {
    missingBytes -= chunk.length;
    yield chunk as Uint8Array;
  }
  if (missingBytes > 0)
    throw new CrowdaiError("store_unreachable", "The stored bytes are fewer than were proven.");
}

const isSame = (a: StoredObject, b: StoredObject) => a.size === b.size && a.sha256 === b.sha256;
const pick = ({ size, sha256 }: StoredObject): StoredObject => ({ size, sha256 });
const missing = () => new CrowdaiError("object_missing");
const isCode = (error: unknown, ...codes: string[]) =>
  codes.includes((error as NodeJS.ErrnoException).code ?? "");

function requireSame(before: StoredObject, wanted: StoredObject): void {
  if (!isSame(before, wanted)) throw new CrowdaiError("object_exists");
}
