import { CrowdaiError, MESSAGE_LIMIT } from "@crowdai/shared";
import { handleObjectRequest, type SignedStore } from "@crowdai/shared/objects";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import type { Logger } from "pino";
import type { CodeContext } from "../background/repositories/code-context.ts";
import type { BoardWatch } from "../domain/leaderboard/board-watch.ts";
import type { Metrics } from "../domain/metrics/metrics.ts";
import type { SubmissionContext } from "../domain/submissions/context.ts";
import { apiRoutes } from "../http/api/api.ts";
import { boardEventRoutes } from "../http/api/board-events.ts";
import { dataRoutes } from "../http/api/data-routes.ts";
import { healthRoutes, metricsRoutes, type Readiness } from "../http/api/health-routes.ts";
import { codeRoutes } from "../http/git/git-routes.ts";
import { mediaRoutes } from "../http/media/media-routes.ts";
import { createPages } from "../http/pages/pages.tsx";
import { errorResponse } from "../http/requests/error-response.ts";
import { redactedPath } from "../http/requests/redacted-path.ts";
import { webFormRoutes } from "../http/webapp-api/web-form-routes.ts";
import { webappApi } from "../http/webapp-api/webapp-api.ts";
import { webappPath } from "../http/webapp-api/webapp-path.ts";

/** All routes of the broker, over web-standard requests. */
export function createApp(options: {
  context: () => SubmissionContext;
  code: () => CodeContext;
  version: string;
  /** A store whose signed addresses are this broker's; null when it serves its own. */
  signedStore: SignedStore | null;
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
  boards: BoardWatch;
  /** The routes of clients of the first crowdAI; absent where they are refused. */
  legacy?: Hono | undefined;
  /** The key that may do everything in the webapp's API. */
  adminKey?: string | undefined;
  /** What a webapp elsewhere shares with this broker; absent where there is none. */
  webFormToken?: string | undefined;
  readiness: () => Promise<Readiness>;
  metrics: Metrics;
  /** What a scraper of /metrics must send; absent where anybody may read them. */
  metricsToken?: string | undefined;
  log: Logger;
}): Hono {
  const { context, version, signedStore, nextEvent, boards, legacy, adminKey, log } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    // The path only: queries carry signatures, headers carry keys.
    log.debug(
      {
        event: "request_served",
        method: c.req.method,
        path: redactedPath(c.req.path),
        status: c.res.status,
        ms: Math.round(performance.now() - started),
      },
      "request served",
    );
  });
  // Before the headers of all other routes: media have their own.
  app.route("/", mediaRoutes(context, log));
  app.use(secureHeaders());
  app.onError((error, c) => errorResponse(c, error, log));
  const pages = createPages({ context, code: options.code, nextEvent });
  // Everything that no other part answers is the pages', guarded whatever its path.
  app.notFound((c) => pages.app.fetch(c.req.raw, c.env));

  const webapp = webappApi({ context, adminKey: adminKey ?? null, presign: legacy, log });
  app.use(async (c, next) => {
    if (webappPath(c.req.url) !== null) return webapp.fetch(c.req.raw, c.env);
    await next();
  });
  app.route("/", healthRoutes(version, options.readiness));
  app.route("/", metricsRoutes(options.metrics, options.metricsToken));
  if (signedStore)
    app.on(["GET", "HEAD", "PUT"], "/objects/*", (c) => handleObjectRequest(signedStore, c.req.raw));
  app.route("/", dataRoutes(context));
  app.route("/", codeRoutes(options.code));
  if (legacy) app.route("/", legacy);
  if (options.webFormToken) app.route("/", webFormRoutes(context, options.webFormToken, log));
  app.use(
    "/api/*",
    bodyLimit({
      maxSize: MESSAGE_LIMIT,
      onError: (c) => {
        // The rest of the body is not read, so the connection cannot serve another request.
        c.header("connection", "close");
        return errorResponse(
          c,
          new CrowdaiError("message_too_large", `A request may have ${MESSAGE_LIMIT} bytes.`),
          log,
        );
      },
    }),
  );
  const api = apiRoutes(context, options.code, version, nextEvent);
  app.get("/openapi.json", (c) =>
    c.json(
      api.getOpenAPI31Document({
        openapi: "3.1.0",
        info: {
          title: "crowdAI broker",
          version,
          description: "What the command line uses. Errors are listed in docs/errors.md.",
        },
        servers: [{ url: "/api/v1" }],
      }),
    ),
  );
  app.route("/api/v1", api);
  app.route("/", boardEventRoutes(context, boards, pages.caller));
  return app;
}
