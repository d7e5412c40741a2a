import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { clientAddress, type TrustedProxies } from "../../base/client-address.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";

/** Returns a name for who sent a request: the caller, or the address of someone without a key. */
export const senderName = (
  c: Context,
  caller: Pick<Caller, "kind" | "id"> | null,
  trusted: TrustedProxies,
) => (caller ? `${caller.kind} ${caller.id}` : requestAddress(c, trusted));

/** Returns the address of the client that sent a request, behind the trusted proxies. */
export function requestAddress(c: Context, trusted: TrustedProxies): string {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return clientAddress(incoming?.socket?.remoteAddress, c.req.header("x-forwarded-for"), trusted);
}
