import { CrowdaiError } from "../../protocol/errors.ts";
import { type Bucket, isCode, statusOf, storeFailure } from "./bucket.ts";

/** How often in a row a download may break without a byte. */
const TRIES = 4;

/**
 * The bytes of an object from `start` to `end` inclusive. Throws object_missing at once; a connection that breaks midway is made
 * anew where it broke, as long as the object is the same.
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
    let answer = first;
    let done = 0;
    for (let tries = 1; ; tries++) {
      const before = done;
      try {
        for await (const chunk of answer.Body as AsyncIterable<Uint8Array>) {
          done += chunk.length;
          yield chunk;
        }
        if (done === size) return;
        throw new Error("fewer bytes came than were told");
      } catch (failure) {
        if (done > before) tries = 1;
        if (done >= size || tries >= TRIES) throw storeFailure(failure);
      }
      answer = await ask((range?.start ?? 0) + done, first.ETag);
    }
  })();
}
