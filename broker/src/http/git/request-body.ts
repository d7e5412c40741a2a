import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CrowdaiError } from "@crowdai/shared";

/** Streams the bytes of a request. Git compresses long ones with gzip. */
export async function* requestBody(request: Request): AsyncGenerator<Uint8Array> {
  if (!request.body) return;
  const bytes = Readable.fromWeb(request.body as Parameters<typeof Readable.fromWeb>[0]);
  if (request.headers.get("content-encoding") !== "gzip") {
    yield* bytes;
    return;
  }
  const gunzip = createGunzip();
  bytes.on("error", (error) => gunzip.destroy(error));
  bytes.pipe(gunzip);
  try {
    yield* gunzip;
  } catch (cause) {
    throw new CrowdaiError("usage", "The request says that it is gzip, but it is not.", { cause });
  } finally {
    bytes.destroy();
    gunzip.destroy();
  }
}
