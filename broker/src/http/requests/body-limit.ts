import type { MiddlewareHandler } from "hono";
import { bodyLimit as limitStream } from "hono/body-limit";

type Options = Required<Parameters<typeof limitStream>[0]>;

/**
 * Refuses bodies that are too long. A body whose length is announced stays what Node.js has received: for its
 * length alone it would become a web stream, which takes longer than to read it.
 */
export function bodyLimit(options: Options): MiddlewareHandler {
  const { maxSize, onError } = options;
  const limit = limitStream(options);
  return async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    const length = c.req.header("content-length");
    if (length === undefined || c.req.header("transfer-encoding") !== undefined) return limit(c, next);
    return Number(length) <= maxSize ? next() : onError(c);
  };
}
