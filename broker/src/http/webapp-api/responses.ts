import { CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";
import type { Logger } from "pino";
import { texts } from "./texts.ts";
import { Refusal, Unauthorized } from "./webapp-errors.ts";

type Status = 200 | 202 | 400 | 401 | 404 | 413 | 500;

/** JSON as the webapp writes it: safe inside a page too. */
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

/** Every failure with a `message`, which callers show. What was not expected is logged, and told without its insides. */
export function failureResponse(c: Context, thrown: unknown, log: Logger): Response {
  if (thrown instanceof Unauthorized) {
    c.header("www-authenticate", 'Token realm="Application"');
    return answer(c, 401, { message: texts.unauthorised });
  }
  if (thrown instanceof Refusal) return answer(c, thrown.status, { message: thrown.message });
  // A store or database that is away has its own words; nothing else of the catalog is thrown here.
  if (thrown instanceof CrowdaiError && thrown.fault === "you")
    return answer(c, 400, { message: thrown.message });
  log.error({ err: thrown }, "unexpected error in the webapp's API");
  return answer(c, 500, { message: texts.serverError });
}
