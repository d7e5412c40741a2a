import { createHash } from "node:crypto";
import { asCrowdaiError, CrowdaiError } from "../protocol/errors.ts";
import type { FolderStore } from "./folder-store.ts";

/** Answers a signed request of the folder store: PUT of exactly what was announced, GET and HEAD with a single range. */
export async function handleObjectRequest(store: FolderStore, request: Request): Promise<Response> {
  try {
    const allowed = store.allowed(new URL(request.url));
    if (request.method === "PUT" && allowed.method === "PUT") return await take(store, request, allowed);
    if ((request.method === "GET" || request.method === "HEAD") && allowed.method === "GET")
      return await give(store, request, allowed);
    throw new CrowdaiError("signature_invalid", `The signed address does not allow ${request.method}.`);
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    return Response.json(
      { error: error.toBody() },
      { status: error.row.http, headers: { "cache-control": "no-store" } },
    );
  }
}

type Allowed = ReturnType<FolderStore["allowed"]>;

async function take(
  store: FolderStore,
  request: Request,
  { key, size = -1, sha256 }: Allowed,
): Promise<Response> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) !== size) throw wrongLength(size, `${declared} were declared`);
  const before = await store.stat(key);
  if (before && before.sha256 !== sha256) throw new CrowdaiError("object_exists");
  await store.put(key, exactly(request.body, size, sha256));
  return new Response(null, { status: before ? 200 : 201 });
}

/** Passes bytes on, and throws before the last one is committed unless they are as many as, and the very ones, announced. */
async function* exactly(
  body: ReadableStream<Uint8Array> | null,
  size: number,
  sha256: string | undefined,
): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  let seen = 0;
  if (body)
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      seen += chunk.length;
      if (seen > size) throw wrongLength(size, "more came");
      hash.update(chunk);
      yield chunk;
    }
  if (seen !== size) throw wrongLength(size, `${seen} came`);
  if (hash.digest("hex") !== sha256) throw new CrowdaiError("digest_mismatch");
}

async function give(store: FolderStore, request: Request, { key, name, type }: Allowed): Promise<Response> {
  const found = await store.stat(key);
  if (!found) throw new CrowdaiError("object_missing");
  const headers = new Headers({
    "content-type": type ?? "application/octet-stream",
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name ?? "object")}`,
  });
  const range = singleRange(request.headers.get("range"), found.size);
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${found.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  headers.set("content-length", String(end - start + 1));
  if (range) headers.set("content-range", `bytes ${start}-${end}/${found.size}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD" || found.size === 0) return new Response(null, { status, headers });
  const bytes = await store.get(key, { start, end });
  return new Response(ReadableStream.from(bytes) as ReadableStream<Uint8Array>, { status, headers });
}

function wrongLength(size: number, what: string): CrowdaiError {
  return new CrowdaiError("digest_mismatch", `The address takes ${size} bytes; ${what}.`);
}

/** A single range of a Range header within `size` bytes; null when there is none to honour. */
export function singleRange(
  header: string | null,
  size: number,
): { start: number; end: number } | "unsatisfiable" | null {
  const match = header?.match(/^bytes=(\d*)-(\d*)$/);
  if (!match || (match[1] === "" && match[2] === "")) return null;
  const [from, to] = [match[1] ?? "", match[2] ?? ""];
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? "unsatisfiable" : { start, end };
}
