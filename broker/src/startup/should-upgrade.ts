import type { IncomingMessage } from "node:http";
import { withoutBasePath } from "../base/base-path.ts";

/**
 * Returns whether a request is to become a WebSocket. The server ignores every other upgrade, such as that of
 * `curl --http2` to h2c, and answers as if it were not requested (RFC 9110, section 7.8); engine.io would
 * close the connection without an answer.
 */
export function shouldUpgrade({ headers, url = "" }: IncomingMessage, basePath: string): boolean {
  const isWebSocket = headers.upgrade?.toLowerCase() === "websocket";
  return isWebSocket && withoutBasePath(url, basePath).startsWith("/socket.io/");
}
