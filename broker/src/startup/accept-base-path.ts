import type { Server as HttpServer, IncomingMessage } from "node:http";
import { withoutBasePath } from "../base/base-path.ts";

/**
 * Lets a server take requests below a base path as well, for proxies that pass them on unchanged. Call it
 * when every other listener is attached: it comes before them.
 */
export function acceptBasePath(server: HttpServer, basePath: string): void {
  const strip = (request: IncomingMessage) => {
    request.url = withoutBasePath(request.url ?? "/", basePath);
  };
  server.prependListener("request", strip);
  server.prependListener("upgrade", strip);
}
