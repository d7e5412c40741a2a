import type { Context, MiddlewareHandler } from "hono";
import type { secureHeaders } from "hono/secure-headers";

type ContentPolicy = NonNullable<NonNullable<Parameters<typeof secureHeaders>[0]>["contentSecurityPolicy"]>;

/** The sources that a page may load from: its own scripts and styles, and media from the object store. */
export function contentPolicy(mediaOrigins: readonly string[]): ContentPolicy {
  const media = ["'self'", ...mediaOrigins];
  return {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: media,
    mediaSrc: media,
    // Of the broker's own addresses: pages that an evaluator wrote, which have a policy of their own.
    frameSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  };
}

const policies = new WeakMap<Request, string>();

/** Sets the policy of an answer that is not a page of the broker. */
export const setPolicy = (c: Context, policy: string): void => void policies.set(c.req.raw, policy);

/**
 * Replaces the policy of pages for the answers that have one of their own. Comes before the middleware that
 * sets it.
 */
export const ownPolicies: MiddlewareHandler = async (c, next) => {
  await next();
  const policy = policies.get(c.req.raw);
  if (policy !== undefined) c.header("content-security-policy", policy);
};
