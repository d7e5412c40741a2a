import { createHttpClient, type HttpClient } from "../client/http/http-client.ts";
import { proxyAgents } from "../client/http/proxy-agents.ts";
import type { Io } from "../terminal/io.ts";

export interface HttpConnection {
  broker: string;
  /** Called when a request is made, not before. */
  key: () => Promise<string | null>;
  client: string;
  io: Pick<Io, "env" | "signal">;
}

/** Returns an HTTP client for a broker. */
export function connectHttp({ broker, key, client, io }: HttpConnection): HttpClient {
  return createHttpClient({ broker, key, client, signal: io.signal, agents: proxyAgents(io.env) });
}
