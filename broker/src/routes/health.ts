import { Hono } from "hono";

export interface Readiness {
  ready: boolean;
  /** One entry a check, with what is wrong. */
  checks: Record<string, string>;
}

/** `/healthz` says that the process answers, `/readyz` that it can take and move submissions. */
export function healthRoutes(version: string, readiness: () => Promise<Readiness>): Hono {
  const routes = new Hono();
  routes.get("/healthz", (c) => c.json({ ok: true, service: "crowdai", version }));
  routes.get("/readyz", async (c) => {
    const found = await readiness();
    return c.json(found, found.ready ? 200 : 503);
  });
  return routes;
}
