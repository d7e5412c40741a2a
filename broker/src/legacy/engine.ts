import type { IncomingMessage } from "node:http";
import { Server, type ServerOptions, type Transport } from "engine.io";
import { speakBinary } from "./binary-polling.ts";

type TransportName = Parameters<Server["upgrades"]>[0];
type EngineRequest = IncomingMessage & { _query: Record<string, string> };

/** engine.io for modern clients and, with `allowEIO3`, for those of the published Python client's age, on one path. */
export function createEngine(options: ServerOptions): Server {
  return new Engine(options);
}

class Engine extends Server {
  protected override createTransport(name: TransportName, request: IncomingMessage): Transport {
    const query = (request as EngineRequest)._query;
    // Scripts for browsers of other origins, which are served nothing.
    delete query.j;
    const transport = super.createTransport(name, request);
    if (name === "polling" && query.EIO !== "4") speakBinary(transport);
    return transport;
  }
}
