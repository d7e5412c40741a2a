import { filePartsOf } from "../../protocol/upload-parts.ts";
import { type Bucket, isCode, statusOf, storeFailure } from "./bucket.ts";
import type { BufferedBody } from "./buffered-body.ts";
import type { Multipart } from "./multipart.ts";

const PARALLEL = 4;

/**
 * Writes a body under a key unless the store has an object there. The caller must check afterwards which
 * bytes are stored.
 */
export type WriteObject = (key: string, buffered: BufferedBody, type?: string) => Promise<void>;

/**
 * Stores with conditional writes (If-None-Match) never replace an object. With other stores, the caller
 * checks before and after, and a conflict of two simultaneous writes is detected only afterwards.
 */
export function createWriteObject(bucket: Bucket, multipart: Multipart): WriteObject {
  const { sdk, client, name: Bucket } = bucket;
  let supportsConditions = true;

  async function conditionally(write: (ifNone: boolean) => Promise<unknown>): Promise<void> {
    try {
      await write(supportsConditions);
    } catch (failure) {
      if (statusOf(failure) === 412 || isCode(failure, "ConditionalRequestConflict")) return;
      if (!supportsConditions || !(statusOf(failure) === 501 || isCode(failure, "NotImplemented")))
        throw storeFailure(failure);
      supportsConditions = false;
      return conditionally(write);
    }
  }

  async function single(key: string, buffered: BufferedBody, type: string, ifNone: boolean): Promise<void> {
    const [md5 = ""] = buffered.parts.md5;
    await client.send(
      new sdk.PutObjectCommand({
        Bucket,
        Key: key,
        Body: await buffered.slice(0, buffered.size),
        ContentLength: buffered.size,
        ContentMD5: base64(md5),
        ContentType: type,
        Metadata: { sha256: buffered.sha256 },
        IfNoneMatch: ifNone ? "*" : undefined,
      }),
    );
  }

  async function inParts(key: string, buffered: BufferedBody, type: string): Promise<void> {
    const parts = filePartsOf(buffered.size, buffered.parts);
    const upload = await multipart.begin(key, buffered.sha256, type);
    try {
      const waiting = [...parts];
      const worker = async () => {
        for (let part = waiting.shift(); part; part = waiting.shift())
          await client.send(
            new sdk.UploadPartCommand({
              Bucket,
              Key: key,
              UploadId: upload,
              PartNumber: part.number,
              Body: await buffered.slice(part.offset, part.size),
              ContentLength: part.size,
              ContentMD5: base64(part.md5),
            }),
          );
      };
      await Promise.all(Array.from({ length: PARALLEL }, worker));
      await conditionally((ifNone) => multipart.complete(key, upload, parts, ifNone));
    } catch (failure) {
      throw storeFailure(failure);
    } finally {
      // Already gone if it was completed.
      await multipart.abort(key, upload).catch(() => {});
    }
  }

  return (key, buffered, type = "application/octet-stream") =>
    buffered.parts.md5.length > 1
      ? inParts(key, buffered, type)
      : conditionally((ifNone) => single(key, buffered, type, ifNone));
}

const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
