import { CrowdaiError } from "@crowdai/shared";
import type { Context, MiddlewareHandler } from "hono";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";

/** What a page may load, and from where: itself, and media from the object store. */
export function contentPolicy(mediaOrigins: readonly string[]): string {
  const media = ["'self'", ...mediaOrigins].join(" ");
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${media}`,
    `media-src ${media}`,
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

/** Refuses forms that another site sent. Behind a proxy a page's own origin is the public address, not the request's. */
export function sameOrigin(baseUrl: () => string): MiddlewareHandler {
  const check = csrf({
    origin: (origin, c) => origin === new URL(baseUrl()).origin || origin === new URL(c.req.url).origin,
  });
  return async (c, next) => {
    // A form that says nothing of where it comes from is no form of a browser that we can trust.
    if (c.req.method === "POST" && !c.req.header("origin") && !c.req.header("sec-fetch-site"))
      throw foreignForm();
    return check(c, next).catch((error) => {
      throw error instanceof HTTPException && error.status === 403 ? foreignForm() : error;
    });
  };
}

export const foreignForm = () =>
  new CrowdaiError("not_allowed", "This form did not come from a page of this broker, or its page is old.", {
    next: "Open the page again and send the form from there.",
  });

/** Whether the path belongs to the pages; the rest of the broker's is for programs. */
export const isPagePath = (path: string): boolean =>
  /^\/($|challenges|submissions|participants\/me|sign-in|sign-out|theme|agreement|assets|robots\.txt)/.test(
    path,
  );

/** Whether the answer is for a person: programs get their errors as JSON. */
export const wantsPage = (c: Context): boolean => c.req.header("accept")?.includes("text/html") ?? false;
