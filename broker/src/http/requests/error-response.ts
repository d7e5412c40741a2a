import { asCrowdaiError, type CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { redactedPath } from "./redacted-path.ts";

/** Responds with the catalog's status and `{ "error": … }`. Logs unexpected errors and sends them redacted. */
export function errorResponse(c: Context, thrown: unknown, log: Logger): Response {
  const error: CrowdaiError = asCrowdaiError(thrown);
  if (error.code === "unexpected")
    log.error(
      { event: "request_failed", err: thrown, path: redactedPath(c.req.path) },
      "request failed with an unexpected error",
    );
  if (error.row.http === 401) c.header("WWW-Authenticate", 'Bearer realm="crowdai"');
  return c.json({ error: error.toBody() }, error.row.http as ContentfulStatusCode);
}
