import { CrowdaiError, MAX_PICTURE_BYTES } from "@crowdai/shared";
import { Hono, type MiddlewareHandler } from "hono";
import { etag } from "hono/etag";
import { matchedRoutes } from "hono/route";
import { secureHeaders } from "hono/secure-headers";
import { basePathOf, withBasePath } from "../../base/base-path.ts";
import { bodyLimit } from "../requests/body-limit.ts";
import { contentPolicy, ownPolicies } from "./content-policy.ts";
import { sameOrigin } from "./same-origin.ts";

const MAX_FORM_BYTES = 16 * 1024;

/**
 * Returns an app that guards every route added to it, whatever the path: content-security policy, cache
 * headers, entity tags, a limit for forms and a check of their origin. Its not-found and error pages carry
 * the same headers.
 */
export function createGuardedApp(options: {
  /** Where images and videos come from, besides the broker itself. */
  mediaOrigins: () => Promise<readonly string[]>;
  baseUrl: () => string;
}): Hono {
  const app = new Hono();
  app.use(ownPolicies);
  app.use(securityHeaders(options.mediaOrigins));
  app.use(privateByDefault);
  app.use(locationsBelow(options.baseUrl));
  app.use(tagUnlessStream);
  // A request that no page answers is "not found", whatever its form holds.
  const onPages = (guard: MiddlewareHandler) =>
    app.use((c, next) => (matchedRoutes(c).length > guards ? guard(c, next) : next()));
  const limit = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: (c) => {
        // The rest of the body is not read, so the connection cannot serve another request.
        c.header("connection", "close");
        throw new CrowdaiError("message_too_large", "The form is too large.");
      },
    });
  const [forms, pictures] = [limit(MAX_FORM_BYTES), limit(MAX_PICTURE_BYTES + MAX_FORM_BYTES)];
  onPages((c, next) => (c.req.path === "/profile/picture" ? pictures(c, next) : forms(c, next)));
  onPages(sameOrigin(options.baseUrl));
  const guards = app.routes.length;
  return app;
}

function securityHeaders(mediaOrigins: () => Promise<readonly string[]>): MiddlewareHandler {
  let known: { origins: readonly string[]; set: MiddlewareHandler } | null = null;
  return async (c, next) => {
    const origins = await mediaOrigins();
    if (known?.origins !== origins)
      known = { origins, set: secureHeaders({ contentSecurityPolicy: contentPolicy(origins) }) };
    return known.set(c, next);
  };
}

/**
 * A page depends on its reader; a route whose answer does not sets its own `cache-control`. `c.header` would
 * make a stream of the answer's body, which takes longer to write than its bytes.
 */
const privateByDefault: MiddlewareHandler = async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has("cache-control")) headers.set("cache-control", "private, no-cache");
  headers.append("vary", "cookie");
};

/** Sends redirects to paths of this broker below its base path. */
function locationsBelow(baseUrl: () => string): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const location = c.res.headers.get("location");
    if (location?.startsWith("/")) c.header("location", withBasePath(location, basePathOf(baseUrl())));
  };
}

const tag = etag();
/** An entity tag needs the whole body, which a stream of events never has. */
const tagUnlessStream: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.get("content-type")?.startsWith("text/event-stream")) await tag(c, async () => {});
};
