import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts, startDaemon } from "./daemon.ts";
import { makeFolderOf } from "./folder-of-user.ts";
import { requireProgram } from "./programs.ts";
import { asService, type Service, type ServiceOptions } from "./service.ts";

const run = promisify(execFile);
const DATABASE = "crowdai";

/**
 * Starts PostgreSQL with an empty database `crowdai`. It does not sync to the disk, which only a machine's
 * crash would show; say `args: ["-c", "fsync=on"]` where the speed is measured.
 */
export async function startPostgres(options: ServiceOptions): Promise<Service> {
  const program = requireProgram("postgres", "postgres");
  const port = options.port ?? (await freePorts());
  // PostgreSQL refuses to run as root; Debian's package brings this user.
  const user = process.getuid?.() === 0 ? "postgres" : undefined;
  const data = join(options.folder, "data");
  const fresh = !existsSync(join(data, "PG_VERSION"));
  const as = (argv: string[]) =>
    user ? ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", ...argv] : argv;
  if (fresh) {
    mkdirSync(options.folder, { recursive: true });
    if (user) await makeFolderOf(user, data);
    const [initdb, ...args] = as([
      requireProgram("postgres", "initdb"),
      ...[
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
      ],
    ]);
    await run(initdb!, args, { cwd: "/" });
  }
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const isReady = requireProgram("postgres", "pg_isready");
  const daemon = await startDaemon({
    name: "postgres",
    folder: options.folder,
    detached: options.detached,
    user,
    argv: [
      program,
      ...[
        "-D",
        data,
        "-p",
        String(port),
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
      ],
      ...["-c", "fsync=off", "-c", "max_connections=200", ...(options.args ?? [])],
    ],
    ready: async () => {
      await run(isReady, ["-q", "-h", "127.0.0.1", "-p", String(port), "-U", "postgres"]);
      return true;
    },
  });
  if (fresh)
    await run(requireProgram("postgres", "createdb"), ["--maintenance-db", url("postgres"), DATABASE]);
  return asService(url(DATABASE), port, daemon);
}
