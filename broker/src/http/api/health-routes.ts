import { createHash, timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import type { Metrics } from "../../domain/metrics/metrics.ts";

export interface Readiness {
  ready: boolean;
  /** One entry per check: "ok", or what is wrong. */
  checks: Record<string, string>;
}

/** `/healthz` reports that the process responds, `/readyz` that it can accept and process submissions. */
export function healthRoutes(version: string, readiness: () => Promise<Readiness>): Hono {
  const routes = new Hono();
  routes.get("/healthz", (c) => c.json({ ok: true, service: "crowdai", version }));
  routes.get("/readyz", async (c) => {
    const found = await readiness();
    return c.json(found, found.ready ? 200 : 503);
  });
  return routes;
}

/** `/metrics` in the Prometheus text format. With a token, requests must send it as a bearer token. */
export function metricsRoutes(
  metrics: Pick<Metrics, "scrape" | "contentType">,
  token: string | undefined,
): Hono {
  const routes = new Hono();
  routes.get("/metrics", async (c) => {
    if (token !== undefined && !same(c.req.header("authorization") ?? "", `Bearer ${token}`)) {
      c.header("www-authenticate", "Bearer");
      return c.text("METRICS_TOKEN is set. Send it as a bearer token.\n", 401);
    }
    return c.body(await metrics.scrape(), 200, { "content-type": metrics.contentType });
  });
  return routes;
}

function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
