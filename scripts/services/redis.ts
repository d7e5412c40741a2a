import { createConnection } from "node:net";
import { freePorts, startDaemon } from "./daemon.ts";
import { requireProgram } from "./programs.ts";
import { asService, type Service, type ServiceOptions } from "./service.ts";

/** Starts `redis-server` with an append-only file, so that it has its contents again after a kill. */
export async function startRedis(
  options: ServiceOptions & {
    /** A file that the server reads first, and into which it writes what changes. */
    config?: string;
    /** Another program with the same arguments. */
    program?: string;
  },
): Promise<Service> {
  const program = options.program ?? requireProgram("redis", "redis-server");
  const port = options.port ?? (await freePorts());
  const daemon = await startDaemon({
    name: "redis",
    folder: options.folder,
    detached: options.detached,
    argv: [
      program,
      ...(options.config ? [options.config] : []),
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", options.folder, "--save", ""],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"],
      ...(options.args ?? []),
    ],
    ready: () => answersPing(port),
  });
  return asService(`redis://127.0.0.1:${port}`, port, daemon);
}

/** Whether it has read its file and takes commands; one that asks for a password does too. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on("data", (data) => {
      resolve(/^(\+PONG|-NOAUTH)/.test(data.toString()));
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });
}
