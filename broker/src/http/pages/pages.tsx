import { CrowdaiError } from "@crowdai/shared";
import type { Context, Hono } from "hono";
import { basePathOf } from "../../base/base-path.ts";
import type { CreateRateLimiter } from "../../base/rate-limits.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { errorResponse } from "../requests/error-response.ts";
import type { HttpServices } from "../requests/http-services.ts";
import { redactedPath } from "../requests/redacted-path.ts";
import { requestError } from "../requests/request-error.ts";
import type { OpenApi } from "./api-reference/openapi.ts";
import { apiPages } from "./api-routes.tsx";
import { assetRoutes } from "./assets/assets.ts";
import { challengePages } from "./challenge-routes.tsx";
import { codePages } from "./code-routes.tsx";
import { devicePages } from "./device-routes.tsx";
import { createGuardedApp } from "./guarded-app.ts";
import { joinPages } from "./join-routes.tsx";
import { rememberMediaOrigins } from "./media-origins.ts";
import type { PageContext } from "./page-context.ts";
import { profilePages } from "./profile-routes.tsx";
import { createRenderer, showError } from "./render-page.tsx";
import { selectionPages } from "./selection-routes.tsx";
import { cookieScope } from "./session/cookie-scope.ts";
import { createSessions } from "./session/sessions.ts";
import { createSignInLimiter } from "./session/sign-in-limiter.ts";
import { sessionRoutes } from "./session-routes.tsx";
import { submissionPages } from "./submission-routes.tsx";
import { wantsPage } from "./wants-page.ts";

export interface PageOptions {
  context: () => HttpServices;
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
  code: PageContext["code"];
  createRateLimiter: CreateRateLimiter;
  /** Describes the API. */
  openapi: () => OpenApi;
}

export interface Pages {
  /** Answers every request that it is given: with a page, or with "not found". */
  app: Hono;
  /** Returns who is signed in to the pages. */
  caller(c: Context): Promise<Caller | null>;
}

/** Creates the pages. They are rendered here and work without scripts; scripts only keep them live. */
export function createPages({ context, nextEvent, code, createRateLimiter, openapi }: PageOptions): Pages {
  const basePath = () => basePathOf(context().baseUrl());
  const sessions = createSessions({
    db: () => context().records.db,
    clock: () => context().clock(),
    webapp: () => context().webapp,
    scope: () => cookieScope(context()),
  });
  const parts: PageContext<HttpServices> = {
    context,
    sessions,
    signInLimiter: createSignInLimiter(createRateLimiter),
    ...createRenderer(basePath),
    nextEvent,
    code,
  };
  const pages = createGuardedApp({
    mediaOrigins: rememberMediaOrigins(context),
    baseUrl: () => context().baseUrl(),
  });
  const fail = (c: Context, error: CrowdaiError) =>
    wantsPage(c) ? showError(c, forReaders(error), parts) : errorResponse(c, error, context().log);
  pages.notFound((c) => {
    const path = redactedPath(c.req.path);
    const message = wantsPage(c)
      ? `There is no page at ${path}.`
      : `No route matches ${c.req.method} ${path}.`;
    return fail(c, new CrowdaiError("not_found", message));
  });
  pages.onError((thrown, c) => {
    const error = requestError(c, thrown);
    if (error.code === "unexpected" && wantsPage(c))
      context().log.error(
        { event: "page_failed", err: thrown, path: redactedPath(c.req.path) },
        "page failed with an unexpected error",
      );
    return fail(c, error);
  });
  pages.get("/robots.txt", (c) => c.text(robots(basePath())));
  for (const routes of [
    assetRoutes(),
    challengePages(parts),
    sessionRoutes(parts),
    codePages(parts),
    selectionPages(parts),
    profilePages(parts),
    devicePages(parts),
    joinPages(parts),
    submissionPages(parts),
    apiPages({ ...parts, openapi }),
  ])
    pages.route("/", routes);
  return { app: pages, caller: async (c) => (await sessions.read(c)).caller };
}

const robots = (basePath: string) => `User-agent: *
Disallow: ${basePath}/api/
Disallow: ${basePath}/code/
Disallow: ${basePath}/join/
Disallow: ${basePath}/objects/
Disallow: ${basePath}/profile
Disallow: ${basePath}/sign-in
Disallow: ${basePath}/submissions
`;

/** Replaces the catalog's advice, which speaks to users of the command line. */
function forReaders(error: CrowdaiError): CrowdaiError {
  if (error.code !== "unexpected") return error;
  return new CrowdaiError("unexpected", "This page could not be loaded.", {
    next: "Try again later. If it keeps failing, contact the organizer.",
  });
}
