import { createHash } from "node:crypto";
import { createKeyedMutex } from "../../keyed-mutex.ts";
import { CrowdaiError } from "../../protocol/errors.ts";
import { OBJECT_KEY, type ObjectStore, type StoredObject } from "../object-store.ts";
import type { S3Settings } from "../s3-settings.ts";
import { isCode, openBucket, requireBucket, statusOf, storeFailure } from "./bucket.ts";
import { bufferBody } from "./buffered-body.ts";
import { createMultipart, plain } from "./multipart.ts";
import { readObject } from "./read-object.ts";
import { createSigning } from "./signing.ts";
import { createUploads } from "./uploads.ts";
import { createWriteObject } from "./write-object.ts";

/** A signed URL must be used within this time. The transfer itself may take longer. */
const UPLOAD_SECONDS = 900;

export interface S3StoreOptions extends S3Settings {
  /** How long the URL of a part is valid. */
  uploadSeconds?: number;
}

/**
 * Creates a store that keeps objects in a bucket of Amazon S3 or a compatible store, with the SHA-256 of each
 * in its metadata.
 *
 * Creates the bucket if necessary. Other objects in it are left alone, and conflict only under equal keys.
 * Throws store_unreachable when the bucket is unreachable.
 */
export async function createS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  const bucket = await openBucket(options);
  const { sdk, client, name: Bucket } = bucket;
  try {
    await requireBucket(bucket);
  } catch (failure) {
    client.destroy();
    throw failure;
  }
  const multipart = createMultipart(bucket);
  const signing = await createSigning(bucket);
  const write = createWriteObject(bucket, multipart);
  const [writing, planning] = [createKeyedMutex(), createKeyedMutex()];

  async function stat(key: string): Promise<(StoredObject & { etag: string }) | null> {
    requireReadable(key);
    try {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket, Key: key }));
      // An object of another program has no digest, and differs from every other.
      const { sha256 = "" } = head.Metadata ?? {};
      return { size: head.ContentLength ?? 0, sha256, etag: plain(head.ETag ?? "") };
    } catch (failure) {
      if (statusOf(failure) === 404 && !isCode(failure, "NoSuchBucket")) return null;
      throw storeFailure(failure);
    }
  }

  async function remove(key: string): Promise<void> {
    requireKey(key);
    for (const upload of await multipart.open(key)) await multipart.abort(key, upload);
    await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: key })).catch((failure) => {
      if (statusOf(failure) !== 404) throw storeFailure(failure);
    });
  }

  async function digest(key: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of await readObject(bucket, key)) hash.update(chunk);
    return hash.digest("hex");
  }

  const uploads = createUploads({
    multipart,
    signing,
    stat,
    digest,
    remove,
    seconds: options.uploadSeconds ?? UPLOAD_SECONDS,
  });

  return {
    name: `S3 bucket ${Bucket} at ${options.endpoint === undefined ? `Amazon (${options.region})` : new URL(options.endpoint).host}`,

    async stat(key) {
      const found = await stat(key);
      return found && { size: found.size, sha256: found.sha256 };
    },

    async put(key, body, { type, expected } = {}) {
      requireKey(key);
      await using buffered = await bufferBody(body, expected);
      const { size, sha256 } = buffered;
      return writing.runExclusive(key, async () => {
        const before = await stat(key);
        if (!before) await write(key, buffered, type);
        // Checked afterwards too, because another program may have been faster, or have overwritten it.
        const now = before ?? (await stat(key));
        if (!now) throw new CrowdaiError("store_unreachable", "The object store did not keep the object.");
        if (now.sha256 !== sha256) throw new CrowdaiError("object_exists");
        return { size, sha256 };
      });
    },

    get: async (key, range) => {
      requireReadable(key);
      return readObject(bucket, key, range);
    },

    remove,

    async *list(prefix) {
      const pages = sdk.paginateListObjectsV2({ client }, { Bucket, Prefix: prefix });
      try {
        for await (const { Contents = [] } of pages)
          for (const { Key } of Contents) if (Key && OBJECT_KEY.test(Key)) yield Key;
      } catch (failure) {
        throw storeFailure(failure);
      }
    },

    // One at a time for each upload: two at once would start it twice.
    planUpload: (key, wanted, how) => planning.runExclusive(key, () => uploads.planUpload(key, wanted, how)),
    finishUpload: (key, wanted) => planning.runExclusive(key, () => uploads.finishUpload(key, wanted)),
    abandonUploads: uploads.abandonUploads,

    signGet: async (key, wanted) => {
      requireKey(key);
      return signing.get(key, wanted);
    },

    async close() {
      client.destroy();
    },
  };
}

function requireKey(key: string): void {
  if (!OBJECT_KEY.test(key)) throw new CrowdaiError("object_missing");
}

/**
 * Keys of other programs may have any form, except path segments that a store or proxy could resolve to
 * another path.
 */
const OTHERS_KEY = /^(?!(?:.*\/)?\.{0,2}\/)(?!(?:.*\/)?\.{1,2}$)[^\p{C}]{1,1024}$/u;

function requireReadable(key: string): void {
  if (!OTHERS_KEY.test(key)) throw new CrowdaiError("object_missing");
}
