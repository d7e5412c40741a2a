import { CrowdaiError } from "@crowdai/shared";
import { streamOf } from "@crowdai/shared/objects";
import { Hono } from "hono";
import type { Logger } from "pino";
import type { Needs } from "../../domain/submissions/services.ts";
import { errorResponse } from "../requests/error-response.ts";

/**
 * Serves the pictures of profiles, while a profile shows them. A browser asks each time before it shows its
 * copy, and shared caches keep none, so that a removed picture is gone at once; a new picture has a new
 * address.
 */
export function profilePictureRoutes(context: () => Needs<"records" | "objects">, log: Logger): Hono {
  const routes = new Hono();
  routes.onError((error, c) => errorResponse(c, error, log));
  routes.get("/media/profiles/:name", async (c) => {
    const { records, objects } = context();
    const key = `profiles/${c.req.param("name")}`;
    const shown = await records.db
      .selectFrom("profiles")
      .select("participant_id")
      .where("picture", "=", key)
      .executeTakeFirst();
    const found = shown ? await objects.stat(key) : null;
    if (!found) throw new CrowdaiError("object_missing", "There is no picture at this address.");
    const etag = `"${found.sha256}"`;
    const headers = {
      "content-type": "image/webp",
      "content-disposition": "inline",
      "cache-control": "private, no-cache",
      "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "cross-origin",
      "referrer-policy": "no-referrer",
      etag,
    };
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
    const sized = { ...headers, "content-length": String(found.size) };
    if (c.req.method === "HEAD") return c.body(null, 200, sized);
    return c.body(streamOf(await objects.get(key)), 200, sized);
  });
  return routes;
}
