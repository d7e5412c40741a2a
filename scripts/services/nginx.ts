import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts, startDaemon } from "./daemon.ts";
import { makeFolderOf } from "./folder-of-user.ts";
import { findProgram } from "./programs.ts";

export interface Nginx {
  /** Address of each server, in their order, without a slash at the end. */
  urls: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts nginx with one server for each of these blocks, which hold its directives without `listen`: each
 * gets a free port. Everything else is nginx's default. Its files are in the folder, and it runs as an
 * ordinary user.
 */
export async function startNginx(folder: string, servers: readonly string[]): Promise<Nginx> {
  const program = findProgram("nginx");
  if (program === null) throw new Error("nginx is not installed. On Debian: apt-get install nginx-light");
  // Debian has this user without any package.
  const user = process.getuid?.() === 0 ? "www-data" : undefined;
  const own = join(folder, "nginx");
  if (user) await makeFolderOf(user, own);
  else mkdirSync(own, { recursive: true });
  const first = await freePorts(servers.length);
  const file = join(own, "nginx.conf");
  writeFileSync(file, configuration(own, servers, first), { mode: 0o644 });
  const urls = servers.map((_, i) => `http://127.0.0.1:${first + i}`);
  const daemon = await startDaemon({
    name: "nginx",
    folder: own,
    user,
    argv: [program, "-e", "stderr", "-p", own, "-c", file],
    ready: () =>
      fetch(urls[0]!, { redirect: "manual" }).then(
        () => true,
        () => false,
      ),
  });
  return { urls, stop: daemon.stop };
}

/** One process, which ends with its parent: the workers of a master would outlive it. */
function configuration(folder: string, servers: readonly string[], port: number): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ")}
  ${servers.map((block, i) => `server {\n    listen 127.0.0.1:${port + i};\n    ${block}\n  }`).join("\n  ")}
}
`;
}
