import { markedStep } from "../marked-steps.ts";
import { asCrowdaiError, CrowdaiError } from "../protocol/errors.ts";
import { attachmentHeader } from "./attachment-header.ts";
import { singleRange } from "./byte-range.ts";
import type { FolderStore } from "./folder-store.ts";
import type { ObjectStore } from "./object-store.ts";
import type { SignedRequest } from "./signed-url.ts";

/** A store whose objects can be served under signed URLs. */
export type SignedStore = Pick<ObjectStore, "put" | "get" | "stat"> &
  Pick<FolderStore, "allowed" | "putPart">;

/**
 * Handles a signed request: PUT of exactly the announced bytes, GET and HEAD with at most one range. Errors
 * are `{ "error": … }` with the HTTP status of the catalog. Bodies are streamed and never held in memory.
 */
export async function handleObjectRequest(store: SignedStore, request: Request): Promise<Response> {
  try {
    const allowed = store.allowed(new URL(request.url));
    if (request.method === "PUT" && allowed.method === "PUT") return await handlePut(store, request, allowed);
    if ((request.method === "GET" || request.method === "HEAD") && allowed.method === "GET")
      return await handleGet(store, request, allowed);
    throw new CrowdaiError("signature_invalid", `The signed URL does not allow ${request.method}.`);
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
    return Response.json({ error: error.toBody() }, { status: error.row.http, headers });
  }
}

async function handlePut(
  store: SignedStore,
  request: Request,
  { key, size, sha256, part, md5 }: SignedRequest,
): Promise<Response> {
  if (size === undefined) throw new CrowdaiError("signature_invalid");
  const declared = request.headers.get("content-length");
  if (declared !== null && declared !== String(size))
    throw new CrowdaiError(
      "digest_mismatch",
      `The signed URL accepts ${size} bytes, but the request declares ${declared.slice(0, 30)}.`,
    );
  const body = (request.body ?? new Uint8Array()) as Uint8Array | AsyncIterable<Uint8Array>;
  if (part !== undefined && md5 !== undefined) {
    await markedStep("upload.part", () => store.putPart(key, { number: part, size, md5 }, body));
    return new Response(null, { status: 201, headers: { etag: `"${md5}"` } });
  }
  if (sha256 === undefined) throw new CrowdaiError("signature_invalid");
  const before = await store.stat(key);
  if (before && before.sha256 !== sha256) throw new CrowdaiError("object_exists");
  await markedStep("upload.whole", () => store.put(key, body, { expected: { size, sha256 } }));
  return new Response(null, { status: before ? 200 : 201, headers: { etag: `"${sha256}"` } });
}

async function handleGet(
  store: SignedStore,
  request: Request,
  { key, name, type }: SignedRequest,
): Promise<Response> {
  const found = await store.stat(key);
  if (!found) throw new CrowdaiError("object_missing");
  const etag = `"${found.sha256}"`;
  const headers = new Headers({
    "content-type": type !== undefined && MEDIA_TYPE.test(type) ? type : "application/octet-stream",
    "content-disposition": attachmentHeader(name),
    // Evaluator output is served from the broker's origin, where no script in it may run.
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "accept-ranges": "bytes",
    etag,
  });
  const isStale = ![null, etag].includes(request.headers.get("if-range"));
  const range = isStale ? null : singleRange(request.headers.get("range"), found.size);
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${found.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  headers.set("content-length", String(end - start + 1));
  if (range) headers.set("content-range", `bytes ${start}-${end}/${found.size}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD" || found.size === 0) return new Response(null, { status, headers });
  return new Response(streamOf(await store.get(key, { start, end })), { status, headers });
}

const MEDIA_TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:; ?charset=[\w-]{1,40})?$/;

/** Converts to a stream that reads on demand, and closes the object when it is cancelled. */
export function streamOf(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const reading = bytes[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reading.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await reading.return?.();
    },
  });
}
