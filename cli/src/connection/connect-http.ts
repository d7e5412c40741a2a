import type { HttpClient } from "../client/http/http-client.ts";
import type { Io } from "../terminal/io.ts";

export interface HttpConnection {
  broker: string;
  /** Called when a request is made, not before. */
  key: () => Promise<string | null>;
  client: string;
  io: Pick<Io, "env" | "signal">;
}

/** Returns an HTTP client for a broker. The modules that it needs are loaded only now. */
export async function connectHttp({ broker, key, client, io }: HttpConnection): Promise<HttpClient> {
  const [{ createHttpClient }, { proxyAgents }] = await Promise.all([
    import("../client/http/http-client.ts"),
    import("../client/http/proxy-agents.ts"),
  ]);
  return createHttpClient({ broker, key, client, signal: io.signal, agents: proxyAgents(io.env) });
}
