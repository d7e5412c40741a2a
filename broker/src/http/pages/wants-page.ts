import type { Context } from "hono";

/** Whether the client is a browser; programs get their errors as JSON. */
export const wantsPage = (c: Context): boolean => c.req.header("accept")?.includes("text/html") ?? false;
