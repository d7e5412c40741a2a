import type { CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { logMachineError } from "../../base/machine-error.ts";
import { requestIdOf } from "../../base/request-ids.ts";
import { redactedPath } from "./redacted-path.ts";
import { requestError } from "./request-error.ts";

/** Returns the error to respond with. Logs unexpected errors, and redacts them. */
export function loggedRequestError(c: Context, thrown: unknown, log: Logger): CrowdaiError {
  const error = requestError(c, thrown);
  error.requestId = requestIdOf(c.req.raw);
  const fields = { request_id: error.requestId, path: redactedPath(c.req.path) };
  if (error.code === "unexpected")
    log.error({ event: "request_failed", err: thrown, ...fields }, "request failed with an unexpected error");
  else log.info({ event: "request_refused", code: error.code, ...fields }, "request refused");
  logMachineError(log, error, fields);
  // The rest of the body is left unread, so the connection cannot serve another request.
  if (error.code === "message_too_large") c.header("connection", "close");
  return error;
}

/** Responds with the catalog's status and `{ "error": … }`. */
export function errorResponse(c: Context, thrown: unknown, log: Logger): Response {
  const error = loggedRequestError(c, thrown, log);
  if (error.row.http === 401) c.header("WWW-Authenticate", 'Bearer realm="crowdai"');
  return c.json({ error: error.toBody() }, error.row.http as ContentfulStatusCode);
}
