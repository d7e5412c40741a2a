import type { Context } from "hono";

/** Returns the key of `Authorization: Bearer <key>`, or undefined when there is none. */
export function bearerKey(c: Context): string | undefined {
  return c.req.header("authorization")?.match(/^Bearer\s+(\S+)$/i)?.[1];
}
