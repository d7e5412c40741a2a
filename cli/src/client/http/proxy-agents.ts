import type http from "node:http";
import { proxyFor } from "../../network/proxy-for.ts";
import { createForwardAgent, createTunnelAgent } from "./tunnel-agents.ts";

/** Returns the agent that reaches a URL through its proxy; undefined for a direct connection. */
export type Agents = (url: URL) => http.Agent | undefined;

/** Returns the agents for the proxies that the environment names. */
export function proxyAgents(env: Readonly<Record<string, string | undefined>>): Agents {
  const agents = new Map<string, http.Agent>();
  return (url) => {
    const proxy = proxyFor(url, env)?.address;
    if (!proxy) return undefined;
    const name = `${url.protocol} ${proxy}`;
    const known = agents.get(name);
    if (known) return known;
    const agent = createAgent(url.protocol === "https:", proxy);
    agents.set(name, agent);
    return agent;
  };
}

function createAgent(secure: boolean, proxy: string): http.Agent {
  if (!process.versions.bun)
    return secure ? createTunnelAgent(new URL(proxy)) : createForwardAgent(new URL(proxy));
  // Bun opens connections by itself, and through a proxy that is named so: `proxyEnv` for requests, `proxy`
  // for sockets.
  const { Agent } = process.getBuiltinModule(secure ? "node:https" : "node:http");
  const options = { keepAlive: true, proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
  return Object.assign(new Agent(options) as http.Agent, { proxy });
}

/** Whether sockets go through the proxy of their agent. With an earlier Bun, they could connect past it. */
export function proxiesSockets(bun = process.versions.bun): boolean {
  if (!bun) return true;
  const [major = 0, minor = 0] = bun.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 4);
}
