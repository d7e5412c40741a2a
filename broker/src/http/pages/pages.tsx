import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { etag } from "hono/etag";
import type { CodeContext } from "../../background/repositories/code-context.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import type { SubmissionContext } from "../../domain/submissions/context.ts";
import { errorResponse } from "../requests/error-response.ts";
import { assetRoutes } from "./assets/assets.ts";
import { challengePages } from "./challenge-routes.tsx";
import { codePages } from "./code-routes.tsx";
import type { PageContext } from "./page-context.ts";
import { renderPage, showError } from "./render-page.tsx";
import { contentPolicy, isPagePath, sameOrigin, wantsPage } from "./security-policy.ts";
import { createSessions } from "./session/sessions.ts";
import { createSignInLimiter } from "./session/sign-in-limiter.ts";
import { sessionRoutes } from "./session-routes.tsx";
import { submissionPages } from "./submission-routes.tsx";

const FORM_LIMIT = 16 * 1024;

export interface PageOptions {
  context: () => SubmissionContext;
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
  code: () => CodeContext;
}

export interface Pages {
  routes: Hono;
  /** The error as a page, for a browser's request to an address of no page. */
  error(c: Context, error: CrowdaiError): Promise<Response>;
  /** Who is signed in at the pages. */
  caller(c: Context): Promise<Caller | null>;
}

/** The pages: rendered here, whole without a script, alive with one. */
export function createPages({ context, nextEvent, code }: PageOptions): Pages {
  const sessions = createSessions({
    db: () => context().records.db,
    clock: () => context().clock(),
    webapp: () => context().webapp,
  });
  const parts: PageContext = {
    context,
    sessions,
    signInLimiter: createSignInLimiter(),
    renderPage,
    nextEvent,
    code,
  };
  const policy = policyOf(context);
  const error = async (c: Context, thrown: CrowdaiError) => {
    await guard(c);
    return showError(c, thrown, sessions);
  };

  async function guard(c: Context): Promise<void> {
    c.header("content-security-policy", await policy());
    // What a page says depends on who reads it.
    c.header("cache-control", "private, no-cache");
    c.header("vary", "cookie");
  }

  const pages = new Hono();
  pages.onError((thrown, c) => {
    const known = asCrowdaiError(thrown);
    if (known.code === "unexpected" && wantsPage(c))
      context().log.error({ err: thrown, path: c.req.path.slice(0, 300) }, "unexpected error in a page");
    return wantsPage(c) ? error(c, forReaders(known)) : errorResponse(c, known, context().log);
  });
  const onPages = (work: MiddlewareHandler) =>
    pages.use((c, next) => (isPagePath(c.req.path) ? work(c, next) : next()));
  onPages(async (c, next) => {
    await guard(c);
    await next();
  });
  onPages(
    bodyLimit({
      maxSize: FORM_LIMIT,
      onError: (c) => {
        c.header("connection", "close");
        return error(c, new CrowdaiError("message_too_large", "The form is too large."));
      },
    }),
  );
  onPages(sameOrigin(() => context().baseUrl()));
  const tagged = etag();
  onPages((c, next) => (c.req.path.endsWith("/events") ? next() : tagged(c, next)));
  pages.get("/robots.txt", (c) => c.text(ROBOTS));
  for (const routes of [
    assetRoutes(),
    challengePages(parts),
    sessionRoutes(parts),
    codePages(parts),
    submissionPages(parts),
  ])
    pages.route("/", routes);
  return { routes: pages, error, caller: async (c) => (await sessions.read(c)).caller };
}

const ROBOTS = `User-agent: *
Disallow: /api/
Disallow: /code/
Disallow: /objects/
Disallow: /sign-in
Disallow: /submissions
`;

/** Made once: where the object store's signed addresses lead is known when one was made. */
function policyOf(context: () => SubmissionContext): () => Promise<string> {
  let known: Promise<string> | null = null;
  return () => {
    known ??= mediaOrigins(context()).then(contentPolicy, (error) => {
      known = null;
      context().log.warn({ err: error }, "where media come from is not known");
      return contentPolicy([]);
    });
    return known;
  };
}

async function mediaOrigins({ objects, baseUrl }: SubmissionContext): Promise<string[]> {
  const signed = await objects.signGet("image/none", { seconds: 60 });
  return [...new Set([new URL(signed).origin, new URL(baseUrl()).origin])];
}

/** The catalog's advice speaks to who types commands; what was unexpected is told without its insides. */
function forReaders(error: CrowdaiError): CrowdaiError {
  if (error.code !== "unexpected") return error;
  return new CrowdaiError("unexpected", "This page could not be made.", {
    next: "Try again; if it stays so, tell the organiser.",
  });
}
