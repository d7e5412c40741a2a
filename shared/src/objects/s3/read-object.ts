import { CrowdaiError } from "../../protocol/errors.ts";
import { type Bucket, isCode, statusOf, storeFailure } from "./bucket.ts";

/** How often in succession a download may fail without progress. */
const MAX_ATTEMPTS = 4;

/**
 * Reads the bytes of an object, from `start` to `end` inclusive. Throws object_missing immediately. Resumes
 * after a broken connection, as long as the object is the same.
 */
export async function readObject(
  bucket: Bucket,
  key: string,
  range?: { start: number; end: number },
): Promise<AsyncIterable<Uint8Array>> {
  const { sdk, client, name } = bucket;

  const ask = async (start: number, etag?: string) => {
    const isWhole = start === 0 && !range;
    return client
      .send(
        new sdk.GetObjectCommand({
          Bucket: name,
          Key: key,
          Range: isWhole ? undefined : `bytes=${start}-${range?.end ?? ""}`,
          IfMatch: etag,
        }),
      )
      .catch((failure) => {
        throw isCode(failure, "NoSuchKey") || statusOf(failure) === 404
          ? new CrowdaiError("object_missing")
          : storeFailure(failure);
      });
  };

  const first = await ask(range?.start ?? 0);
  const size = first.ContentLength ?? 0;

  return (async function* () {
    let response = first;
    let done = 0;
    for (let tries = 1; ; tries++) {
      const before = done;
      try {
        for await (const chunk of response.Body as AsyncIterable<Uint8Array>) {
          done += chunk.length;
          yield chunk;
        }
        if (done === size) return;
        throw new Error("received fewer bytes than announced");
      } catch (failure) {
        if (done > before) tries = 1;
        if (done >= size || tries >= MAX_ATTEMPTS) throw storeFailure(failure);
      }
      response = await ask((range?.start ?? 0) + done, first.ETag);
    }
  })();
}
