import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { pythonWithPandas } from "../lib/python-with-pandas.ts";
import { findProgram, SERVICES, type ServiceName } from "../services/programs.ts";

export interface RequiredProgram {
  program: string;
  /** Package that holds it. */
  debian: string;
  /** The tests that are left out when it is missing. */
  without: string;
  /** Whether it is there, when it is not a program on the PATH. */
  isThere?: () => boolean;
}

/** The programs that the tests need besides npm packages. */
export const REQUIRED_PROGRAMS: readonly RequiredProgram[] = [
  { program: "git", debian: "git", without: "snapshots of code" },
  { program: "python3", debian: "python3", without: "evaluators in Python, the demo's among them" },
  {
    program: "pandas",
    debian: "python3-pandas",
    without: "metrics of Kaggle",
    isThere: () => pythonWithPandas() !== null,
  },
  { program: "prlimit", debian: "util-linux", without: "memory limits of evaluators" },
  { program: "bwrap", debian: "bubblewrap", without: "boxes for evaluators and participants' code" },
  { program: "mksquashfs", debian: "squashfs-tools", without: "images in the squashfs format" },
  { program: "runc", debian: "runc", without: "boxes of runc" },
  { program: "runsc", debian: "runsc", without: "boxes of runsc (gVisor)" },
  { program: "setpriv", debian: "util-linux", without: "tests that give up root's rights" },
  { program: "ps", debian: "procps", without: "checks that no process is left behind" },
  { program: "redis-server", debian: "redis-server", without: "the queue on Redis" },
  { program: "strace", debian: "strace", without: "power cuts" },
  { program: "openssl", debian: "openssl", without: "Redis behind TLS" },
  { program: "postgres", debian: "postgresql", without: "records on PostgreSQL" },
  ...["proxy", "account", "container", "object"].map((server) => ({
    program: `swift-${server}-server`,
    debian: `swift-${server}`,
    without: "objects on S3",
  })),
  { program: "memcached", debian: "memcached", without: "objects on S3" },
  { program: "nginx", debian: "nginx-light", without: "the broker behind a proxy" },
  { program: "caddy", debian: "caddy", without: "the broker behind Caddy" },
  { program: "tmux", debian: "tmux", without: "dialogs in a terminal" },
  {
    program: "chromium-headless-shell",
    debian: "chromium-headless-shell",
    without: "the pages in a browser",
  },
  { program: "ffmpeg", debian: "ffmpeg", without: "video and audio of evaluators" },
  { program: "zsh", debian: "zsh", without: "whether zsh takes its completion script" },
  { program: "fish", debian: "fish", without: "whether fish takes its completion script" },
];

/**
 * Installs what is missing where that is possible, and reports each program that is still missing. Returns
 * their names.
 */
export function installSystemPackages(wanted: readonly RequiredProgram[] = REQUIRED_PROGRAMS): string[] {
  const absent = installMissing(wanted);
  if (absent.length === 0) console.log("all there");
  for (const { program, debian, without } of absent)
    console.log(`MISSING: ${program} (Debian package ${debian}). Not tested without it: ${without}.`);
  return absent.map(({ program }) => program);
}

/**
 * Installs programs, and ends this process with exit code 2 and one sentence when one of them is still
 * missing: for commands that cannot do anything useful without it.
 */
export function requireSystemPackages(programs: readonly string[]): void {
  const absent = installMissing(REQUIRED_PROGRAMS.filter(({ program }) => programs.includes(program)));
  if (absent.length === 0) return;
  const missing = absent.map(({ program }) => program).join(", ");
  const packages = [...new Set(absent.map(({ debian }) => debian))].join(" ");
  console.error(`Cannot run without ${missing}. On Debian, install with: apt-get install ${packages}`);
  process.exit(2);
}

/**
 * Installs programs if this is Debian and this user may, without a message for what is still missing. Returns
 * these.
 */
export function installMissing(wanted: readonly RequiredProgram[]): RequiredProgram[] {
  const isAbsent = ({ program, isThere }: RequiredProgram) => (isThere ? !isThere() : !findProgram(program));
  const absent = wanted.filter(isAbsent);
  if (absent.length === 0 || process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return absent;
  const packages = [...new Set(absent.map(({ debian }) => debian))];
  console.log(`apt-get install ${packages.join(" ")}`);
  apt("update", "-qq");
  apt("install", "-qq", "-y", "--no-install-recommends", ...packages);
  return absent.filter(isAbsent);
}

/** Returns the names of the programs that some services run. */
export function programsOf(services: readonly ServiceName[]): string[] {
  return services.flatMap((service) => SERVICES[service].programs).filter((program) => program !== "initdb");
}

function apt(...args: string[]): void {
  spawnSync("apt-get", args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
