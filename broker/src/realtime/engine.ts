import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Socket as Connection, Server, type ServerOptions, type Transport } from "engine.io";

type TransportName = Parameters<Server["upgrades"]>[0];
type EngineRequest = IncomingMessage & { _query: Record<string, string> };

/**
 * Creates an engine.io server for current clients and, with `allowEIO3`, for clients of protocol 3, on one
 * path. `prepareOlder` is called with each polling transport of protocol 3 before its handshake is answered.
 */
export function createEngine(
  options: ServerOptions,
  prepareOlder: (transport: Transport) => void = () => {},
): Server {
  class Engine extends Server {
    protected override createTransport(name: TransportName, request: IncomingMessage): Transport {
      const query = (request as EngineRequest)._query;
      // JSONP is for browsers of other origins, which are not served.
      delete query.j;
      const transport = super.createTransport(name, request);
      if (name === "polling" && query.EIO !== "4") prepareOlder(transport);
      return transport;
    }
  }
  const engine = new Engine(options);
  engine.use((_request: IncomingMessage, response: object, next: () => void) => {
    if (!(response instanceof ServerResponse)) (response as UpgradeResponse).writeHead = forgetUpgrade;
    next();
  });
  // Messages that wait for the same connection go out in one write, instead of one each.
  engine.on("flush", (connection: Connection, packets: readonly unknown[]) => {
    if (packets.length > 1) streamOf(connection)?.cork();
  });
  engine.on("drain", (connection: Connection) => {
    const stream = streamOf(connection);
    if (stream && stream.writableCorked > 0) stream.uncork();
  });
  return engine;
}

/** Stands in for a response in middlewares of engine.io when a connection is upgraded. */
interface UpgradeResponse {
  req: IncomingMessage | null;
  writeHead(): void;
}

/**
 * Called right before the handshake of the WebSocket, after which engine.io uses the response no more. It
 * waits for the end of the connection all the same, and would keep the request with all its headers in memory
 * until then.
 */
function forgetUpgrade(this: UpgradeResponse): void {
  this.req = null;
}

/** Returns the TCP stream of a WebSocket, where the runtime shows it. */
function streamOf({ transport }: Connection): Duplex | null {
  const { _socket: stream } = ((transport as { socket?: unknown }).socket ?? {}) as { _socket?: Duplex };
  return typeof stream?.cork === "function" ? stream : null;
}
