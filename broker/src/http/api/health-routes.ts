import { createHash, timingSafeEqual } from "node:crypto";
import { type Context, Hono } from "hono";
import { isLoopback } from "../../base/client-address.ts";
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

/** Headers that proxies add. */
const FORWARDED = /^(?:x-forwarded-.+|forwarded|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|via)$/;

/**
 * `/metrics` in the Prometheus text format, whose labels name private challenges too. With a token, requests
 * must send it as a bearer token; without one, only this machine may read them, and not through a proxy on
 * it.
 */
export function metricsRoutes(
  metrics: Pick<Metrics, "scrape" | "contentType">,
  token: string | undefined,
  address: (c: Context) => string,
): Hono {
  const routes = new Hono();
  routes.get("/metrics", async (c) => {
    if (token !== undefined && !same(c.req.header("authorization") ?? "", `Bearer ${token}`)) {
      c.header("www-authenticate", "Bearer");
      return c.text("METRICS_TOKEN is set. Send it as a bearer token.\n", 401);
    }
    if (token === undefined && !(isLoopback(address(c)) && isDirect(c)))
      return c.text("Set METRICS_TOKEN at the broker to read the metrics from another machine.\n", 403);
    return c.body(await metrics.scrape(), 200, { "content-type": metrics.contentType });
  });
  return routes;
}

/**
 * Whether a request names this machine itself. A proxy, or a page whose name resolves to this machine, sends
 * another host.
 */
function isDirect(c: Context): boolean {
  const { hostname } = new URL(c.req.url);
  const isHere = hostname === "localhost" || isLoopback(hostname.replace(/^\[|\]$/g, ""));
  return isHere && !Object.keys(c.req.header()).some((name) => FORWARDED.test(name));
}

function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
