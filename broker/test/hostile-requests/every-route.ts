import type { Hono } from "hono";
import { pino } from "pino";
import { rateLimiters } from "../../src/base/rate-limits.ts";
import { createPages } from "../../src/http/pages/pages.tsx";
import { webappApi } from "../../src/http/webapp-api/webapp-api.ts";
import { legacyRoutes } from "../../src/legacy/upload-routes.ts";
import { environmentRequests } from "../../src/realtime/environment-requests.ts";
import { sessionRequests } from "../../src/realtime/session-requests.ts";
import { createApp } from "../../src/startup/app.ts";

type AppOptions = Parameters<typeof createApp>[0];

const unused = () => {
  throw new Error("Only the routes are listed; nothing is served.");
};

/**
 * Lists the method and path of every route of the broker. They are read from its apps, so none can be
 * forgotten.
 */
export function listRoutes(): { method: string; path: string }[] {
  const log = pino({ level: "silent" });
  const legacy = legacyRoutes(unused, {} as Parameters<typeof legacyRoutes>[1]);
  const options = {
    context: unused,
    code: unused,
    version: "0",
    signedStore: {} as AppOptions["signedStore"],
    nextEvent: unused,
    boards: {} as AppOptions["boards"],
    instanceIds: {} as AppOptions["instanceIds"],
    createRateLimiter: rateLimiters(),
    openapi: () => ({}),
    legacy,
    webFormToken: "token",
    readiness: unused,
    metrics: {} as AppOptions["metrics"],
    log,
  };
  const apps: Pick<Hono, "routes">[] = [
    createApp(options),
    createPages(options).app,
    webappApi({ context: unused, adminKey: null, presign: legacy, log }),
  ];
  const routes = apps
    .flatMap((app) => app.routes)
    // Middleware is listed with the routes.
    .filter(({ path }) => path !== "/*" && path !== "/api/*")
    .map(({ method, path }) => `${method} ${path}`);
  return [...new Set(routes)].map((route) => {
    const [method, path] = route.split(" ") as [string, string];
    return { method, path };
  });
}

/** Lists the events that a session may send. */
export function listEvents(): string[] {
  const requests = sessionRequests({} as Parameters<typeof sessionRequests>[0]);
  const steps = environmentRequests({} as Parameters<typeof environmentRequests>[0]);
  return [...requests.keys(), ...steps.keys()];
}
