import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findProgram } from "../services/programs.ts";

export interface RequiredProgram {
  program: string;
  /** Package that holds it. */
  debian: string;
  /** What is left out when it is missing. */
  without: string;
}

/** What the tests need besides npm packages. */
export const REQUIRED_PROGRAMS: readonly RequiredProgram[] = [
  { program: "git", debian: "git", without: "snapshots of code" },
  { program: "python3", debian: "python3", without: "evaluators in Python, the demo's among them" },
  { program: "prlimit", debian: "util-linux", without: "memory limits of evaluators" },
  { program: "setpriv", debian: "util-linux", without: "tests that give up root's rights" },
  { program: "ps", debian: "procps", without: "checks that no process is left behind" },
  { program: "redis-server", debian: "redis-server", without: "the queue on Redis" },
  { program: "openssl", debian: "openssl", without: "Redis behind TLS" },
  { program: "postgres", debian: "postgresql", without: "records on PostgreSQL" },
  ...["proxy", "account", "container", "object"].map((server) => ({
    program: `swift-${server}-server`,
    debian: `swift-${server}`,
    without: "objects on S3",
  })),
  { program: "memcached", debian: "memcached", without: "objects on S3" },
  { program: "tmux", debian: "tmux", without: "dialogs in a terminal" },
  { program: "chromium", debian: "chromium", without: "the pages in a browser" },
  { program: "ffmpeg", debian: "ffmpeg", without: "video and audio of evaluators" },
  { program: "zsh", debian: "zsh", without: "whether zsh takes its completion script" },
  { program: "fish", debian: "fish", without: "whether fish takes its completion script" },
];

/** Installs what is missing where that is possible. Returns the programs that are missing still, said loudly. */
export function installSystemPackages(wanted: readonly RequiredProgram[] = REQUIRED_PROGRAMS): string[] {
  let absent = wanted.filter(({ program }) => !findProgram(program));
  if (absent.length === 0) {
    console.log("all there");
    return [];
  }
  if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
    const packages = [...new Set(absent.map(({ debian }) => debian))];
    console.log(`apt-get install ${packages.join(" ")}`);
    apt("update", "-qq");
    apt("install", "-qq", "-y", "--no-install-recommends", ...packages);
    absent = absent.filter(({ program }) => !findProgram(program));
  }
  for (const { program, debian, without } of absent)
    console.log(`MISSING: ${program} (Debian package ${debian}). Not tested without it: ${without}.`);
  return absent.map(({ program }) => program);
}

function apt(...args: string[]): void {
  spawnSync("apt-get", args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
