import type { secureHeaders } from "hono/secure-headers";

type ContentPolicy = NonNullable<NonNullable<Parameters<typeof secureHeaders>[0]>["contentSecurityPolicy"]>;

/** What a page may load: its own scripts and styles, and media from the object store. */
export function contentPolicy(mediaOrigins: readonly string[]): ContentPolicy {
  const media = ["'self'", ...mediaOrigins];
  return {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: media,
    mediaSrc: media,
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  };
}
