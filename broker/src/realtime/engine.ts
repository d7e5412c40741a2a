import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Socket as Connection, Server, type ServerOptions, type Transport } from "engine.io";

type TransportName = Parameters<Server["upgrades"]>[0];
type EngineRequest = IncomingMessage & { _query: Record<string, string> };

/**
 * Creates an engine.io server for current clients and, with `allowEIO3`, for clients of protocol 3, on one path.
 * `prepareOlder` is called with each polling transport of protocol 3 before its handshake is answered.
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

/** Returns the TCP stream of a WebSocket, where the runtime shows it. */
function streamOf({ transport }: Connection): Duplex | null {
  const { _socket: stream } = ((transport as { socket?: unknown }).socket ?? {}) as { _socket?: Duplex };
  return typeof stream?.cork === "function" ? stream : null;
}
