import type http from "node:http";
import { proxyFor } from "../../network/proxy-for.ts";

/** Returns the agent that reaches a URL through its proxy; undefined for a direct connection. */
export type Agents = (url: URL) => http.Agent | undefined;

/**
 * Returns the agents for the proxies that the environment names. The runtime implements them; a Node.js without proxy support
 * (`supportsProxies`) connects directly.
 */
export function proxyAgents(env: Readonly<Record<string, string | undefined>>): Agents {
  const agents = new Map<string, http.Agent>();
  return (url) => {
    const proxy = proxyFor(url, env)?.address;
    if (!proxy) return undefined;
    const name = `${url.protocol} ${proxy}`;
    const known = agents.get(name);
    if (known) return known;
    const options = { keepAlive: true, proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
    const { Agent } = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
    const agent: http.Agent = new Agent(options);
    agents.set(name, agent);
    return agent;
  };
}

/** Whether this runtime connects through proxies: Bun, and Node.js since 22.21 and 24.5. */
export function supportsProxies({ bun, node }: NodeJS.ProcessVersions = process.versions): boolean {
  if (bun !== undefined) return true;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}
