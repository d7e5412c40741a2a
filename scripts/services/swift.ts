import { createConnection } from "node:net";
import { join } from "node:path";
import { type Daemon, freePorts, startDaemon } from "./daemon.ts";
import { requireProgram } from "./programs.ts";
import type { Service, ServiceOptions } from "./service.ts";
import { currentUser, SWIFT_SERVERS, writeSwiftConfig } from "./swift-config.ts";

export { SWIFT_ACCESS_KEY, SWIFT_REGION, SWIFT_SECRET_KEY } from "./swift-config.ts";

/**
 * Starts OpenStack Swift with its S3 API: four servers and a cache, on five ports in a row. A signal goes to
 * all of them. `args` are the proxy's. Addressing is path-style.
 */
export async function startSwift(options: ServiceOptions): Promise<Service> {
  const port = options.port ?? (await freePorts(SWIFT_SERVERS.length + 1));
  await writeSwiftConfig(options.folder, port);
  const start = (name: string, at: number, argv: [string, ...string[]]) =>
    startDaemon({
      name,
      argv,
      folder: join(options.folder, "log"),
      detached: options.detached,
      ready: () => (name === "proxy" ? answersInfo(port) : listens(at)),
    });
  const cachePort = port + SWIFT_SERVERS.length;
  const daemons: Daemon[] = await Promise.all([
    ...SWIFT_SERVERS.map((kind, i) =>
      start(kind, port + i, [
        requireProgram("swift", `swift-${kind}-server`),
        join(options.folder, "conf", `${kind}-server.conf`),
        ...(kind === "proxy" ? (options.args ?? []) : []),
      ]),
    ),
    start("memcached", cachePort, [
      requireProgram("swift", "memcached"),
      ...["-u", currentUser(), "-l", "127.0.0.1", "-p", String(cachePort)],
    ]),
  ]);
  const each = async (act: (daemon: Daemon) => Promise<void>) => {
    await Promise.all(daemons.map(act));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get pid() {
      return daemons[0]!.pid;
    },
    get pids() {
      return daemons.map(({ pid }) => pid);
    },
    ended: () => each((daemon) => daemon.ended()),
    kill: (signal) => each((daemon) => daemon.kill(signal)),
    restart: () => each((daemon) => daemon.restart()),
    stop: () => each((daemon) => daemon.stop()),
  };
}

async function answersInfo(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/info`, { signal: AbortSignal.timeout(1000) });
  await response.body?.cancel();
  // Without its discovery the proxy answers "not found", which is an answer too.
  return response.status < 500;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}
