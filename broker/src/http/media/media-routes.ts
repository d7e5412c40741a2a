import { CrowdaiError } from "@crowdai/shared";
import { singleRange, streamOf } from "@crowdai/shared/objects";
import { Hono } from "hono";
import type { Logger } from "pino";
import { detectMediaType } from "../../background/media/detect-media-type.ts";
import { readHead } from "../../background/media/make-media.ts";
import { typeOfKey } from "../../domain/media/media-keys.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { errorResponse } from "../requests/error-response.ts";

/**
 * Serves the media of submissions, and nothing else of the store: a key is served only while a submission
 * names it. Everyone who knows the address may see it, so caches may store it; re-grading gives the new media
 * a new address.
 */
export function mediaRoutes(context: () => Needs<"records" | "objects">, log: Logger): Hono {
  const routes = new Hono();
  routes.onError((error, c) => errorResponse(c, error, log));
  routes.get("/media/:key{.+}", async (c) => {
    const { records, objects } = context();
    const key = c.req.param("key");
    const missing = () => new CrowdaiError("object_missing", "There is no media at this address.");
    const shown = await records.db
      .selectFrom("submissions")
      .select("number")
      .where((eb) =>
        eb.or([eb("media_large", "=", key), eb("media_thumbnail", "=", key), eb("media_preview", "=", key)]),
      )
      .limit(1)
      .executeTakeFirst();
    const found = shown ? await objects.stat(key) : null;
    if (!found) throw missing();
    // The bytes decide the type of an external grader's file; other types are not served.
    const type =
      typeOfKey(key) ??
      detectMediaType(found.size > 0 ? await readHead(objects, { key, ...found }) : new Uint8Array())?.type;
    if (!type) throw missing();

    const etag = `"${found.sha256}"`;
    const headers: Record<string, string> = {
      "content-type": type,
      "content-disposition": "inline",
      "cache-control": "public, max-age=31536000, immutable",
      // Browsers style an image that is opened directly.
      "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
      "x-content-type-options": "nosniff",
      // Pages of an external webapp show them too.
      "cross-origin-resource-policy": "cross-origin",
      "referrer-policy": "no-referrer",
      "accept-ranges": "bytes",
      etag,
    };
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
    const ifRange = c.req.header("if-range");
    const isStale = ifRange !== undefined && ifRange !== etag;
    const range = isStale ? null : singleRange(c.req.header("range") ?? null, found.size);
    if (range === "unsatisfiable")
      return c.body(null, 416, { ...headers, "content-range": `bytes */${found.size}` });
    const { start, end } = range ?? { start: 0, end: found.size - 1 };
    headers["content-length"] = String(end - start + 1);
    if (range) headers["content-range"] = `bytes ${start}-${end}/${found.size}`;
    const status = range ? 206 : 200;
    if (c.req.method === "HEAD") return c.body(null, status, headers);
    return c.body(streamOf(await objects.get(key, { start, end })), status, headers);
  });
  return routes;
}
