import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CrowdaiError } from "@crowdai/shared";
import type { BrokerConfig } from "../base/config.ts";

/**
 * Proxies keep idle connections for a minute. If the broker closed one first, a request already on its way
 * would fail.
 */
const KEEP_ALIVE_MS = 65_000;

/** Starts to listen and resolves with the server's address; port 0 picks a free one. Throws port_in_use. */
export function listen(
  server: HttpServer,
  { port, host }: Pick<BrokerConfig, "port" | "host">,
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE")
        return reject(
          new CrowdaiError("config_invalid", `Cannot listen on ${host}, port ${port}: ${error.message}.`, {
            next: "Choose another --host or --port. Ports below 1024 need a privilege.",
            cause: error,
          }),
        );
      reject(
        new CrowdaiError("port_in_use", `Port ${port} on ${host} is already in use.`, {
          cause: error,
        }),
      );
    });
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.listen(port, host, () => {
      const { address, port: taken, family } = server.address() as AddressInfo;
      const name =
        address === "0.0.0.0" || address === "::"
          ? "localhost"
          : family === "IPv6"
            ? `[${address}]`
            : address;
      resolve(`http://${name}:${taken}`);
    });
  });
}
