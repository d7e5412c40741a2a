import type http from "node:http";
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { NetworkFault } from "./network-fault.ts";

// Node.js has agents for proxies since 22.21 and 24.5. These work in the same way under each version that the
// client supports.

type Connected = (error: Error | null, socket?: Duplex) => void;
type RequestOptions = ConnectionOptions & { host: string; port: number };

const CONNECT_MS = 10_000;

/** Returns an agent that asks a proxy for `http:` URLs, each request by its whole URL. */
export function createForwardAgent(proxy: URL): http.Agent {
  const { Agent } = process.getBuiltinModule("node:http");
  class ForwardAgent extends Agent {
    addRequest(request: ClientRequest, options: RequestOptions): void {
      request.path = `http://${request.getHeader("host")}${request.path}`;
      for (const [name, value] of Object.entries(credentials(proxy))) request.setHeader(name, value);
      // Not among the declared methods, but unchanged in all versions.
      const parent = Agent.prototype as unknown as { addRequest(r: ClientRequest, o: object): void };
      parent.addRequest.call(this, request, { ...options, ...addressOf(proxy) });
    }
    override createConnection(): Socket {
      return openSocket(proxy);
    }
  }
  return new ForwardAgent({ keepAlive: true });
}

/**
 * Returns an agent that has a proxy open a connection for `https:` URLs, and speaks TLS with the server
 * through it.
 */
export function createTunnelAgent(proxy: URL): http.Agent {
  const { Agent } = process.getBuiltinModule("node:https");
  class TunnelAgent extends Agent {
    override createConnection(options: RequestOptions, connected: Connected): Duplex | undefined {
      openTunnel(proxy, `${bracketed(options.host)}:${options.port}`).then((socket) => {
        const { connect } = process.getBuiltinModule("node:tls");
        const secured = connect({ ...options, socket });
        secured
          .once("secureConnect", () => connected(null, secured))
          .once("error", (error) => connected(error));
      }, connected);
      return undefined;
    }
  }
  return new TunnelAgent({ keepAlive: true }) as http.Agent;
}

/** Has the proxy connect to `target`, a host and a port. */
function openTunnel(proxy: URL, target: string): Promise<Socket> {
  const { request } = process.getBuiltinModule("node:http");
  return new Promise((resolve, reject) => {
    const asking = request({
      method: "CONNECT",
      path: target,
      headers: { host: target, ...credentials(proxy) },
      timeout: CONNECT_MS,
      // Takes the place of an agent.
      createConnection: () => openSocket(proxy),
    });
    const refused = ({ statusCode = 0 }: http.IncomingMessage) =>
      new NetworkFault(`the proxy at ${proxy.host} refused a connection with status ${statusCode}`, "EPROXY");
    asking.once("connect", (reply, socket, head) => {
      asking.setTimeout(0);
      if (reply.statusCode !== 200) return reject(refused(reply)) ?? void socket.destroy();
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    asking.once("response", (reply) => {
      reject(refused(reply));
      asking.destroy();
    });
    asking.once("timeout", () =>
      asking.destroy(new NetworkFault(`no connection through the proxy at ${proxy.host}`, "ETIMEDOUT")),
    );
    asking.once("error", reject);
    asking.end();
  });
}

function openSocket(proxy: URL): Socket {
  const address = addressOf(proxy);
  if (proxy.protocol === "http:") return process.getBuiltinModule("node:net").connect(address);
  return process.getBuiltinModule("node:tls").connect({ ...address, servername: address.host });
}

function credentials({ username, password }: URL): Record<string, string> {
  if (!username) return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` };
}

/** A URL without a port has the usual one of its protocol. */
function addressOf({ protocol, hostname, port }: URL): { host: string; port: number } {
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (protocol === "https:" ? 443 : 80)) };
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
