import { constants } from "node:fs";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createKeyedMutex } from "../keyed-mutex.ts";
import { CrowdaiError } from "../protocol/errors.ts";
import type { Upload } from "../protocol/upload.ts";
import { type FilePart, filePartsOf } from "../protocol/upload-parts.ts";
import { createIncoming, folderFailure, makeDurableFolder, syncFolder } from "./durable-files.ts";
import { folderPartsIn } from "./folder-parts.ts";
import { keysBelow, type ObjectPaths, objectPathsIn } from "./object-paths.ts";
import type { AnnouncedObject, ObjectStore, StoredObject } from "./object-store.ts";
import { readSignedUrl, type SignedRequest, signUrl } from "./signed-url.ts";

type Part = Upload["parts"][number];

/** A signed URL must be used within this time. The transfer itself may take longer. */
const UPLOAD_SECONDS = 900;
/** The most parts planned at once, so that the plan fits into one message. */
const PLANNED_PARTS = 256;

export interface FolderStoreOptions {
  folder: string;
  /** The URL below which `/objects/…` is served, without a trailing slash. */
  baseUrl: () => string;
  secret: string | Buffer;
  /** Milliseconds since 1970. */
  now?: () => number;
  /**
   * Name of the subfolder for incoming files, which is emptied at start. Processes that share a store must
   * use different names. Default "arriving".
   */
  arriving?: string;
}

export interface FolderStore extends ObjectStore {
  /** Returns the request that a signed URL allows. Throws signature_invalid. */
  allowed(url: URL): SignedRequest;
  /** Stores one part of an upload. Throws digest_mismatch, and object_exists once the object is complete. */
  putPart(
    key: string,
    part: Omit<FilePart, "offset">,
    body: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void>;
}

/**
 * Creates a store that keeps objects as files in a folder, and serves them under signed URLs of this broker.
 *
 * An object has two files: its bytes, and metadata with size and digest, which is linked into place last. An
 * object exists when its metadata does, and `stat` reads only that. Parts of an upload are stored beside the
 * objects until all have arrived.
 */
export async function createFolderStore(options: FolderStoreOptions): Promise<FolderStore> {
  const { folder, baseUrl, secret, now = Date.now } = options;
  const paths = await objectPathsIn(folder, options.arriving);
  const incoming = await createIncoming(paths.incoming);
  const parts = await folderPartsIn(join(folder, "parts"), incoming);
  const mutex = createKeyedMutex();
  const finishing = createKeyedMutex();

  async function stat(key: string): Promise<StoredObject | null> {
    const { metadata } = paths.of(key);
    try {
      await paths.requireInside(dirname(metadata));
      return JSON.parse(await readFile(metadata, "utf8")) as StoredObject;
    } catch (error) {
      if (isCode(error, "ENOENT", "ENOTDIR")) return null;
      throw folderFailure(error);
    }
  }

  async function remove(key: string): Promise<void> {
    const { bytes, metadata } = paths.of(key);
    await paths.requireInside(dirname(metadata));
    await rm(metadata, { force: true });
    await rm(bytes, { force: true });
  }

  async function put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    expected?: StoredObject,
  ): Promise<StoredObject> {
    paths.of(key);
    try {
      return await incoming.take(body, expected, (arrived, { size, digest }) =>
        mutex.runExclusive(key, async () => {
          const found = { size, sha256: digest };
          const before = await stat(key);
          if (before) requireSame(before, found);
          else await publish(paths, key, arrived, await incoming.write(JSON.stringify(found)));
          return found;
        }),
      );
    } catch (error) {
      throw folderFailure(error);
    }
  }

  /** Joins the parts into one object, and verifies it as a whole. */
  async function assemble(key: string, wanted: AnnouncedObject): Promise<void> {
    const all = partsOf(wanted);
    if (!all || (await parts.missing(key, all)).length > 0) throw new CrowdaiError("upload_missing");
    try {
      await put(key, parts.read(key, all), pick(wanted));
    } catch (error) {
      // Each part matches its announcement, so the announcement contradicts itself.
      if (error instanceof CrowdaiError && error.code === "digest_mismatch") await parts.remove(key);
      throw error;
    }
  }

  return {
    name: `folder ${folder}`,
    stat,
    allowed: (url) => readSignedUrl(url, secret, now()),

    put: (key, body, { expected } = {}) => put(key, body, expected),

    async putPart(key, part, body) {
      paths.of(key);
      if (await stat(key)) throw new CrowdaiError("object_exists");
      await parts.take(key, part, body);
    },

    async get(key, range) {
      const found = await stat(key);
      if (!found) throw missing();
      const { start = 0, end = found.size - 1 } = range ?? {};
      return readBytes(paths.of(key).bytes, { start, end: Math.min(end, found.size - 1) });
    },

    remove: (key) =>
      mutex.runExclusive(key, async () => {
        await remove(key);
        await parts.remove(key);
      }),

    list: (prefix) => keysBelow(paths, prefix),

    async planUpload(key, wanted) {
      const before = await stat(key);
      if (before) requireSame(before, wanted);
      const expires = Math.floor(now() / 1000) + UPLOAD_SECONDS;
      const sign = (bound: Partial<SignedRequest>) =>
        signUrl(baseUrl(), secret, { method: "PUT", key, expires, ...bound });
      const plan = (planned: Omit<Part, "method" | "headers">[], missing: readonly { size: number }[]) => ({
        parts: planned.map((part) => ({ ...part, method: "PUT" as const, headers: {} })),
        missing: { parts: missing.length, bytes: missing.reduce((sum, { size }) => sum + size, 0) },
        expires_at: new Date(expires * 1000).toISOString(),
      });
      if (before) return plan([], []);
      const all = partsOf(wanted);
      if (!all) {
        const { size, sha256 } = wanted;
        return plan([{ number: 1, offset: 0, size, url: sign({ size, sha256 }) }], [wanted]);
      }
      const missing = await parts.missing(key, all);
      const planned = missing.slice(0, PLANNED_PARTS).map(({ number, offset, size, md5 }) => {
        return { number, offset, size, url: sign({ part: number, size, md5 }) };
      });
      return plan(planned, missing);
    },

    finishUpload: (key, wanted) =>
      finishing.runExclusive(key, async () => {
        const found = await stat(key);
        if (!found) await assemble(key, wanted);
        else if (!isSame(found, wanted)) {
          await mutex.runExclusive(key, () => remove(key));
          throw new CrowdaiError("digest_mismatch");
        }
        await parts.remove(key);
      }),

    abandonUploads: (before) => parts.removeOlder(before),

    async signGet(key, { seconds, name, type }) {
      paths.of(key);
      const expires = Math.floor(now() / 1000) + seconds;
      return signUrl(baseUrl(), secret, { method: "GET", key, expires, name, type });
    },

    async close() {},
  };
}

/** Makes a finished file visible under the key. link(2) never overwrites a file of another process. */
async function publish(
  paths: ObjectPaths,
  key: string,
  arrived: string,
  arrivedMetadata: string,
): Promise<void> {
  const { bytes, metadata } = paths.of(key);
  try {
    await paths.requireInside(dirname(bytes));
    await makeDurableFolder(dirname(bytes), paths.stored);
    // Bytes without metadata: an earlier process died in between.
    await rm(bytes, { force: true });
    await link(arrived, bytes);
    await syncFolder(dirname(bytes));
    await link(arrivedMetadata, metadata);
    await syncFolder(dirname(bytes));
  } finally {
    await rm(arrivedMetadata, { force: true });
  }
}

/** Opens the file at the first read, so that a caller who never reads keeps no file open. */
async function* readBytes(path: string, range: { start: number; end: number }): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error) => {
    throw isCode(error, "ENOENT", "ENOTDIR", "ELOOP") ? missing() : folderFailure(error);
  });
  let missingBytes = range.end - range.start + 1;
  if (missingBytes <= 0) return handle.close();
  // Closes the file at its end, or when the caller stops reading.
  for await (const chunk of handle.createReadStream({ highWaterMark: 256 * 1024, ...range })) {
    missingBytes -= chunk.length;
    yield chunk as Uint8Array;
  }
  if (missingBytes > 0)
    throw new CrowdaiError("store_unreachable", "The stored object is shorter than its recorded size.");
}

/** Returns the parts of an upload; null when it is sent in one request. */
function partsOf({ size, parts }: AnnouncedObject): FilePart[] | null {
  return parts && parts.md5.length > 1 ? filePartsOf(size, parts) : null;
}

const isSame = (a: StoredObject, b: StoredObject) => a.size === b.size && a.sha256 === b.sha256;
const pick = ({ size, sha256 }: StoredObject): StoredObject => ({ size, sha256 });
const missing = () => new CrowdaiError("object_missing");
const isCode = (error: unknown, ...codes: string[]) =>
  codes.includes((error as NodeJS.ErrnoException).code ?? "");

function requireSame(before: StoredObject, wanted: StoredObject): void {
  if (!isSame(before, wanted)) throw new CrowdaiError("object_exists");
}
