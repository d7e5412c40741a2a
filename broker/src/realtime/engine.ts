import type { IncomingMessage } from "node:http";
import { Server, type ServerOptions, type Transport } from "engine.io";

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
  return new Engine(options);
}
