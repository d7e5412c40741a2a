import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { clientAddress, type TrustedProxies } from "../../base/client-address.ts";

/** Returns the address of the client that sent a request, behind the trusted proxies. */
export function requestAddress(c: Context, trusted: TrustedProxies): string {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return clientAddress(incoming?.socket?.remoteAddress, c.req.header("x-forwarded-for"), trusted);
}
