import { constants } from "node:fs";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createKeyedMutex } from "../keyed-mutex.ts";
import { CrowdaiError } from "../protocol/errors.ts";
import type { Upload } from "../protocol/upload.ts";
import { type FilePart, filePartsOf } from "../protocol/upload-parts.ts";
import { createIncoming, folderFailure, makeFolder, syncFolder } from "./durable-files.ts";
import { folderPartsIn } from "./folder-parts.ts";
import { keysBelow, type ObjectPaths, objectPathsIn } from "./object-paths.ts";
import type { AnnouncedObject, ObjectStore, StoredObject } from "./object-store.ts";
import { readSignedUrl, type SignedRequest, signUrl } from "./signed-url.ts";

type Part = Upload["parts"][number];

/** An address must be used within this time; the transfer itself may last longer. */
const UPLOAD_SECONDS = 900;
/** What is planned at once fits a message to the client. */
const PLANNED_PARTS = 256;

export interface FolderStoreOptions {
  folder: string;
  /** Where `/objects/…` is served, without a slash at the end. */
  baseUrl: () => string;
  secret: string | Buffer;
  /** Milliseconds since 1970. */
  now?: () => number;
  /**
   * Name of the folder inside in which this process keeps what arrives, and which it empties at its start. Two processes that share a
   * store must not share it. Default "arriving".
   */
  arriving?: string;
}

export interface FolderStore extends ObjectStore {
  /** What a signed address allows; throws signature_invalid. */
  allowed(url: URL): SignedRequest;
  /** Takes one part of an upload. Throws digest_mismatch, and object_exists once the object is complete. */
  putPart(
    key: string,
    part: Omit<FilePart, "offset">,
    body: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void>;
}

/**
 * Objects as files in a folder, reached through signed addresses of this broker.
 *
 * An object is two files: its bytes, and a proof with their size and digest, which is linked into place last. So an object
 * exists when its proof does, and `stat` reads no more than that. Parts of an upload wait beside the objects until all are there.
 */
export async function createFolderStore(options: FolderStoreOptions): Promise<FolderStore> {
  const { folder, baseUrl, secret, now = Date.now } = options;
  const paths = await objectPathsIn(folder, options.arriving);
  const incoming = await createIncoming(paths.incoming);
  const parts = await folderPartsIn(join(folder, "parts"), incoming);
  const mutex = createKeyedMutex();
  const finishing = createKeyedMutex();

  async function stat(key: string): Promise<StoredObject | null> {
    const { proof } = paths.of(key);
    try {
      await paths.requireInside(dirname(proof));
      return JSON.parse(await readFile(proof, "utf8")) as StoredObject;
    } catch (error) {
      if (isCode(error, "ENOENT", "ENOTDIR")) return null;
      throw folderFailure(error);
    }
  }

  async function remove(key: string): Promise<void> {
    const { bytes, proof } = paths.of(key);
    await paths.requireInside(dirname(proof));
    await rm(proof, { force: true });
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

  /** Makes one object of the parts, which proves them as a whole. */
  async function assemble(key: string, wanted: AnnouncedObject): Promise<void> {
    const all = partsOf(wanted);
    if (!all || (await parts.missing(key, all)).length > 0) throw new CrowdaiError("upload_missing");
    try {
      await put(key, parts.read(key, all), pick(wanted));
    } catch (error) {
      // Each part is what was announced of it, so the announcement contradicts itself.
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

/** Makes a finished file visible under the key. link(2) never overwrites, whoever else writes here. */
async function publish(
  paths: ObjectPaths,
  key: string,
  arrived: string,
  arrivedProof: string,
): Promise<void> {
  const { bytes, proof } = paths.of(key);
  try {
    await paths.requireInside(dirname(bytes));
    await makeFolder(dirname(bytes), paths.stored);
    // Bytes whose proof never came: the process ended in between.
    await rm(bytes, { force: true });
    await link(arrived, bytes);
    await syncFolder(dirname(bytes));
    await link(arrivedProof, proof);
    await syncFolder(dirname(bytes));
  } finally {
    await rm(arrivedProof, { force: true });
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

/** The parts that come one by one; null for what is sent as a whole. */
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
