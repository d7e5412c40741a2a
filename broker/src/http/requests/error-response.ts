import { asCrowdaiError, type CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";

/** An error as an answer: the catalog's status, and `{ "error": … }`. What was not expected is logged, and told without its insides. */
export function errorResponse(c: Context, thrown: unknown, log: Logger): Response {
  const error: CrowdaiError = asCrowdaiError(thrown);
  if (error.code === "unexpected")
    log.error({ err: thrown, path: c.req.path }, "unexpected error in a route");
  if (error.row.http === 401) c.header("WWW-Authenticate", 'Bearer realm="crowdai"');
  return c.json({ error: error.toBody() }, error.row.http as ContentfulStatusCode);
}
