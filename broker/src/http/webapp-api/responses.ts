import type { Context } from "hono";
import type { Logger } from "pino";
import { logMachineError } from "../../base/machine-error.ts";
import { requestError } from "../requests/request-error.ts";
import { texts } from "./texts.ts";
import { Refusal, Unauthorized } from "./webapp-errors.ts";

type Status = 200 | 202 | 400 | 401 | 404 | 413 | 500 | 503;

/** Responds with JSON as the webapp writes it, safe to embed in a page. */
export function answer(c: Context, status: Status, body: unknown): Response {
  const text = JSON.stringify(body).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return c.body(text, status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
  });
}

export function notFoundResponse(c: Context): Response {
  return answer(c, 404, { status: 404, error: "Not Found" });
}

/**
 * Responds to every failure with a `message`, which callers show. Logs unexpected errors and sends them
 * redacted.
 */
export function failureResponse(c: Context, thrown: unknown, log: Logger): Response {
  if (thrown instanceof Unauthorized) {
    c.header("www-authenticate", 'Token realm="Application"');
    return answer(c, 401, { message: texts.unauthorized });
  }
  if (thrown instanceof Refusal) return answer(c, thrown.status, { message: thrown.message });
  const error = requestError(c, thrown);
  // Other errors that are not the caller's fault count as server errors.
  if (error.fault === "you") return answer(c, 400, { message: error.message });
  logMachineError(log, error);
  if (error.row.http === 503) return answer(c, 503, { message: error.message });
  log.error(
    { event: "webapp_request_failed", err: thrown },
    "webapp API request failed with an unexpected error",
  );
  return answer(c, 500, { message: texts.serverError });
}
