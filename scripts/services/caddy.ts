import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Daemon, startDaemon } from "./daemon.ts";
import { findProgram } from "./programs.ts";

/** Starts Caddy with these sites. Resolves when one of them answers at `url`. Its files are in the folder. */
export async function startCaddy(folder: string, sites: string, url: string): Promise<Daemon> {
  const program = findProgram("caddy");
  if (program === null) throw new Error("Caddy is not installed. On Debian: apt-get install caddy");
  const file = join(folder, "Caddyfile");
  writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${sites}\n`);
  return startDaemon({
    name: "caddy",
    folder,
    argv: [program, "run", "--adapter", "caddyfile", "--config", file],
    env: { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    ready: () =>
      fetch(url, { redirect: "manual" }).then(
        () => true,
        () => false,
      ),
  });
}
