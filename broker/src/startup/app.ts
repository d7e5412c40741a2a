import { CrowdaiError, MAX_MESSAGE_BYTES, MAX_PICTURE_BYTES } from "@crowdai/shared";
import { handleObjectRequest, type SignedStore } from "@crowdai/shared/objects";
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Logger } from "pino";
import type { CodeServices } from "../background/code-services.ts";
import { basePathOf } from "../base/base-path.ts";
import type { CreateRateLimiter } from "../base/rate-limits.ts";
import { assignRequestId } from "../base/request-ids.ts";
import type { BoardWatch } from "../domain/leaderboard/board-watch.ts";
import type { Metrics } from "../domain/metrics/metrics.ts";
import type { InstanceIds } from "../domain/sessions/gym-instances.ts";
import { apiRoutes } from "../http/api/api.ts";
import { boardEventRoutes } from "../http/api/board-events.ts";
import { dataRoutes } from "../http/api/data-routes.ts";
import { healthRoutes, metricsRoutes, type Readiness } from "../http/api/health-routes.ts";
import { codeRoutes } from "../http/git/git-routes.ts";
import { gymRoutes } from "../http/gym/gym-routes.ts";
import { mediaRoutes } from "../http/media/media-routes.ts";
import { profilePictureRoutes } from "../http/media/profile-picture-routes.ts";
import type { OpenApi } from "../http/pages/api-reference/openapi.ts";
import { createPages } from "../http/pages/pages.tsx";
import { bodyLimit } from "../http/requests/body-limit.ts";
import { errorResponse } from "../http/requests/error-response.ts";
import type { HttpServices } from "../http/requests/http-services.ts";
import { redactedPath } from "../http/requests/redacted-path.ts";
import { requestAddress } from "../http/requests/request-address.ts";
import { pictureTooLarge } from "../http/requests/set-picture.ts";
import { webFormRoutes } from "../http/webapp-api/web-form-routes.ts";
import { webappApi } from "../http/webapp-api/webapp-api.ts";
import { webappPath } from "../http/webapp-api/webapp-path.ts";

/** Creates all routes of the broker, over web-standard requests. */
export function createApp(options: {
  context: () => HttpServices;
  code: () => CodeServices;
  version: string;
  /** The store whose signed addresses this broker serves; null when the store serves its own. */
  signedStore: SignedStore | null;
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
  boards: BoardWatch;
  instanceIds: InstanceIds;
  createRateLimiter: CreateRateLimiter;
  /** Routes for clients of the first crowdAI; absent when these clients are turned off. */
  legacy?: Hono | undefined;
  /** The key with full access to the webapp API. */
  adminKey?: string | undefined;
  /** The token shared with a webapp elsewhere; absent when there is none. */
  webFormToken?: string | undefined;
  readiness: () => Promise<Readiness>;
  metrics: Metrics;
  /** The token that scrapers of /metrics must send; absent when only this machine may read the metrics. */
  metricsToken?: string | undefined;
  log: Logger;
}): Hono {
  const { context, version, signedStore, nextEvent, boards, legacy, adminKey, log } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const started = performance.now();
    const id = assignRequestId(c.req.raw);
    await next();
    c.res.headers.set("X-Request-Id", id);
    if (!log.isLevelEnabled("debug")) return;
    // Only the path: queries carry signatures, headers carry keys.
    log.debug(
      {
        event: "request_served",
        request_id: id,
        method: c.req.method,
        path: redactedPath(c.req.path),
        status: c.res.status,
        ms: Math.round(performance.now() - started),
      },
      "request served",
    );
  });
  // Before the headers of all other routes: media and environments set their own.
  app.route("/", profilePictureRoutes(context, log));
  app.route("/", mediaRoutes(context, log));
  const gym = gymRoutes({ context, ids: options.instanceIds, nextEvent });
  // With its own answers to every error: its clients read no other form.
  app.all("/v1", (c) => gym.fetch(c.req.raw, c.env));
  app.all("/v1/*", (c) => gym.fetch(c.req.raw, c.env));
  app.use(secureHeaders());
  app.onError((error, c) => errorResponse(c, error, log));
  const pages = createPages({
    context,
    code: options.code,
    nextEvent,
    createRateLimiter: options.createRateLimiter,
    openapi: () => describe() as OpenApi,
  });
  // Every other request goes to the pages' app, whose guards apply whatever the path.
  app.notFound((c) => pages.app.fetch(c.req.raw, c.env));

  const webapp = webappApi({ context, adminKey: adminKey ?? null, presign: legacy, log });
  app.use(async (c, next) => {
    if (webappPath(c.req.url) !== null) return webapp.fetch(c.req.raw, c.env);
    await next();
  });
  const address = (c: Context) => requestAddress(c, context().trustedProxies);
  app.route("/", healthRoutes(version, options.readiness));
  app.route("/", metricsRoutes(options.metrics, options.metricsToken, address));
  if (signedStore)
    app.on(["GET", "HEAD", "PUT"], "/objects/*", (c) => handleObjectRequest(signedStore, c.req.raw));
  app.route("/", dataRoutes(context, pages.caller));
  app.route(
    "/",
    codeRoutes(options.code, () => context().trustedProxies),
  );
  if (legacy) app.route("/", legacy);
  if (options.webFormToken) app.route("/", webFormRoutes(context, options.webFormToken, log));
  const messages = bodyLimit({
    maxSize: MAX_MESSAGE_BYTES,
    onError: (c) =>
      errorResponse(
        c,
        new CrowdaiError("message_too_large", `A request body may have at most ${MAX_MESSAGE_BYTES} bytes.`),
        log,
      ),
  });
  const pictures = bodyLimit({
    maxSize: MAX_PICTURE_BYTES,
    onError: (c) => errorResponse(c, pictureTooLarge(), log),
  });
  app.use("/api/*", (c, next) =>
    c.req.path === "/api/v1/profile/picture" ? pictures(c, next) : messages(c, next),
  );
  const api = apiRoutes(context, options.code, version, nextEvent, pages.caller);
  const readDescription = () =>
    api.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "crowdAI broker",
        version,
        description: "The API that the command line uses. docs/errors.md lists the errors.",
      },
      servers: [{ url: `${basePathOf(context().baseUrl())}/api/v1` }],
    });
  // Described once: it takes a tenth of a second, in which no other request is served.
  let description: ReturnType<typeof readDescription> | undefined;
  const describe = () => {
    description ??= readDescription();
    return description;
  };
  app.get("/openapi.json", (c) => {
    return c.json(describe());
  });
  app.route("/api/v1", api);
  // The path "/" of openapi.json, appended to its server's address.
  app.get("/api/v1/", (c) => api.request("/", c.req.raw));
  app.route("/", boardEventRoutes(context, boards, pages.caller, address));
  return app;
}
