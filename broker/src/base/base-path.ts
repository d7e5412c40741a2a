/**
 * Returns the path below which clients reach the broker: "" at the root of its host, else such as "/crowdai".
 * `url` is the broker's public address.
 */
export function basePathOf(url: string): string {
  return new URL(url).pathname.replace(/\/+$/, "");
}

/**
 * Returns a request's path and query as the broker's own: without the base path, where a proxy has left it.
 */
export function withoutBasePath(target: string, basePath: string): string {
  if (basePath === "" || isAmbiguous(basePath) || !target.startsWith(basePath)) return target;
  const rest = target.slice(basePath.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : target;
}

/**
 * Returns the address of one of the broker's paths for browsers. A path that begins with the base path is one
 * already.
 */
export function withBasePath(path: string, basePath: string): string {
  return basePath + withoutBasePath(path, basePath);
}

/** First parts of the broker's own paths. */
const OWN_PARTS = new Set([
  ...["agreement", "api", "assets", "challenges", "code", "healthz", "media", "metrics", "objects"],
  ...["participants", "readyz", "sign-in", "sign-out", "socket.io", "submissions", "theme", "v1"],
]);

/** Whether a base path looks like a path of the broker's own, so that only the proxy can remove it. */
function isAmbiguous(basePath: string): boolean {
  return OWN_PARTS.has(basePath.split("/")[1] ?? "");
}
