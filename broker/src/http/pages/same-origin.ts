import { CrowdaiError } from "@crowdai/shared";
import type { MiddlewareHandler } from "hono";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses forms from other sites. Behind a proxy, a page's own origin is the public address, not the
 * request's.
 */
export function sameOrigin(baseUrl: () => string): MiddlewareHandler {
  const check = csrf({
    origin: (origin, c) => origin === new URL(baseUrl()).origin || origin === new URL(c.req.url).origin,
  });
  return async (c, next) => {
    // Hono's check lets other content types pass; every browser that we support sends one of these headers.
    const isAnonymous = !c.req.header("origin") && !c.req.header("sec-fetch-site");
    if (isAnonymous && !SAFE_METHODS.has(c.req.method)) throw foreignForm();
    return check(c, next).catch((error) => {
      throw error instanceof HTTPException && error.status === 403 ? foreignForm() : error;
    });
  };
}

export const foreignForm = () =>
  new CrowdaiError("not_allowed", "This form was sent from another site, or its page has expired.", {
    next: "Reload the page and send the form again.",
  });
