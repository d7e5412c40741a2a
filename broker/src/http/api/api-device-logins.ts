import { CrowdaiError } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { claimDeviceLogin, startDeviceLogin } from "../../domain/participants/device-logins.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { requestAddress } from "../requests/request-address.ts";
import { type ApiGroup, answers, body } from "./api-shapes.ts";

/** Sign-ins that one address may start. */
const STARTS = { points: 20, seconds: 10 * 60 };
/** How often one address may ask for the key of a sign-in: more often than its clients do. */
const CLAIMS = { points: 120, seconds: 60 };
const INTERVAL_SECONDS = 2;

/** Sign-in of a command line without a key: a person confirms a short code on a page. */
export function deviceLoginRoutes({
  api,
  context,
}: ApiGroup<
  HttpNeeds<"records" | "clock" | "log" | "webapp" | "trustedProxies" | "createRateLimiter" | "baseUrl">
>): void {
  const limiters = new Map<string, ReturnType<HttpNeeds<"createRateLimiter">["createRateLimiter"]>>();
  const admit = async (name: string, limit: typeof STARTS, address: string) => {
    const limiter = limiters.get(name) ?? context().createRateLimiter(name, limit);
    limiters.set(name, limiter);
    const admitted = await limiter.consume(address).catch((refused: unknown) => {
      if (refused instanceof Error) throw refused;
      return null;
    });
    if (!admitted)
      throw new CrowdaiError("too_many_requests", "Your address started or asked for too many sign-ins.");
  };
  const requireOwnKeys = () => {
    if (!context().webapp.issuesKeys) throw new CrowdaiError("login_unavailable");
  };

  api.openapi(
    createRoute({
      method: "post",
      path: "/device-logins",
      summary: "Start a sign-in that a person confirms on a page",
      request: { body: body(z.object({ client: z.string().max(200).optional() })) },
      responses: answers(
        z.object({
          device_code: z.string(),
          user_code: z.string(),
          url: z.string(),
          expires_at: z.string(),
          interval: z.number().int().describe("Seconds between two requests for the key."),
        }),
        "The codes",
      ),
    }),
    async (c) => {
      requireOwnKeys();
      const ip = requestAddress(c, context().trustedProxies);
      await admit("device-logins", STARTS, ip);
      const client = c.req.valid("json").client ?? c.req.header("user-agent") ?? "";
      const { records, clock, baseUrl } = context();
      const codes = await startDeviceLogin(records, { client, ip, now: clock() });
      c.header("cache-control", "no-store");
      const url = `${baseUrl()}/device?code=${codes.user_code}`;
      return c.json({ ...codes, url, interval: INTERVAL_SECONDS }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/device-logins/key",
      summary: "Get the key of a confirmed sign-in, once",
      request: { body: body(z.object({ device_code: z.string().min(1).max(100) })) },
      responses: answers(z.object({ key: z.string() }), "The key"),
    }),
    async (c) => {
      requireOwnKeys();
      await admit("device-claims", CLAIMS, requestAddress(c, context().trustedProxies));
      const { records, clock, log } = context();
      const key = await claimDeviceLogin(records, c.req.valid("json").device_code, clock());
      log.info({ event: "device_login_claimed" }, "device login claimed");
      c.header("cache-control", "no-store");
      return c.json({ key }, 200);
    },
  );
}
