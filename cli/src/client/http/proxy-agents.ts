import http from "node:http";
import https from "node:https";

export interface Agents {
  "http:": http.Agent;
  "https:": https.Agent;
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

/**
 * Connections that go through the proxy the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), or undefined
 * when it names none. The runtime does it; Node.js before 24.5 cannot and connects directly.
 */
export function proxyAgents(env: Readonly<Record<string, string | undefined>>): Agents | undefined {
  if (!PROXY_VARIABLES.some((name) => env[name])) return undefined;
  const options = { keepAlive: true, proxyEnv: env };
  return { "http:": new http.Agent(options), "https:": new https.Agent(options) };
}
