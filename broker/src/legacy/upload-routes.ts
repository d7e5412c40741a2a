import { Hono } from "hono";
import { noCaller } from "../domain/participants/api-keys.ts";
import type { Needs } from "../domain/submissions/services.ts";
import { identifyParticipant } from "../domain/webapp/webapp.ts";
import type { LegacyUploads } from "./uploads.ts";

/** Path of presigned addresses; not below the API, whose messages are small. */
export const UPLOAD_PATH = "/legacy/uploads";

/**
 * Creates the routes that the published Python package requests by plain HTTP: a presigned address for a
 * file, and the PUT to it.
 */
export function legacyRoutes(context: () => Needs<"webapp">, uploads: LegacyUploads): Hono {
  const routes = new Hono();
  routes.get("/api/external_graders/:api_key/presign", async (c) => {
    c.header("cache-control", "no-store");
    const caller = await identifyParticipant(context().webapp, c.req.param("api_key")).catch(noCaller);
    if (!caller)
      return c.json(
        {
          message: "No participant could be found for this API key",
          participant_id: null,
          s3_key: null,
          presigned_url: null,
        },
        404,
      );
    const message = "Presigned url generated";
    return c.json({ message, participant_id: caller.id, ...uploads.presign(caller.id) });
  });

  routes.put(`${UPLOAD_PATH}/:id`, async (c) => {
    const body = c.req.raw.body as AsyncIterable<Uint8Array> | null;
    const { sha256 } = await uploads.take(new URL(c.req.url), body);
    return c.body(null, 200, { etag: `"${sha256}"`, "cache-control": "no-store" });
  });
  return routes;
}
