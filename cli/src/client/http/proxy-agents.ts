import http from "node:http";
import https from "node:https";

/** One agent per protocol, as node:http and node:https take them. */
export interface Agents {
  "http:": http.Agent;
  "https:": https.Agent;
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

/**
 * Returns agents that use the proxy named in the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), or undefined if
 * there is none. The runtime implements them; Node.js before 24.5 does not and connects directly.
 */
export function proxyAgents(env: Readonly<Record<string, string | undefined>>): Agents | undefined {
  if (!PROXY_VARIABLES.some((name) => env[name])) return undefined;
  const options = { keepAlive: true, proxyEnv: env };
  return { "http:": new http.Agent(options), "https:": new https.Agent(options) };
}
