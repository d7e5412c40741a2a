import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The entries of /etc that programs need: none of this machine's users, networks or keys. */
const COPIED = ["alternatives", "fonts", "ld.so.cache", "R"];
const WRITTEN = {
  passwd: "box:x:1000:1000::/tmp:/bin/sh\n",
  group: "box:x:1000:\n",
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/** Files of /proc that tell of other programs or of the machine's state. */
const HIDDEN = [
  ...[
    "cmdline",
    "config.gz",
    "diskstats",
    "interrupts",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "latency_stats",
  ],
  ...[
    "loadavg",
    "locks",
    "modules",
    "partitions",
    "sched_debug",
    "schedstat",
    "softirqs",
    "stat",
    "swaps",
    "sysrq-trigger",
  ],
  ...["timer_list", "vmallocinfo", "vmstat", "zoneinfo"],
];

/** Fills an empty folder with the /etc of boxes. */
export function writeEtc(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
  for (const [name, text] of Object.entries(WRITTEN))
    writeFileSync(join(folder, name), text, { mode: 0o644 });
  for (const name of COPIED)
    if (existsSync(join("/etc", name)))
      cpSync(join("/etc", name), join(folder, name), { recursive: true, verbatimSymlinks: true });
}

/** Folders and links at the root of a box that make its programs. */
export interface ProgramFolders {
  /** Folders of this machine, by their path in the box. */
  folders: Record<string, string>;
  links: [target: string, path: string][];
}

const PROGRAM_FOLDERS = findProgramFolders();
/** Files that other users cannot read need no cover, and each costs a box some time. */
const HIDDEN_FILES = HIDDEN.map((name) => `/proc/${name}`).filter(isReadableByAll);

/** Returns the folders of this machine's programs, and the links to them at the root. */
export const programFolders = () => PROGRAM_FOLDERS;

/** Returns the files that boxes cannot see. */
export const hiddenFiles = () => HIDDEN_FILES;

function findProgramFolders(): ProgramFolders {
  const names = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"].filter((name) => existsSync(`/${name}`));
  const isLink = (name: string) => lstatSync(`/${name}`).isSymbolicLink();
  return {
    folders: Object.fromEntries(
      ["usr", ...names.filter((name) => !isLink(name))].map((name) => [`/${name}`, `/${name}`]),
    ),
    links: names.filter(isLink).map((name) => [readlinkSync(`/${name}`), `/${name}`]),
  };
}

/** Folders that each box has itself. */
const OWN = ["proc", "sys", "dev", "tmp", "out", "job"];

/** Returns the top folders and links of an image, but those that `taken` names. */
export function imageFolders(image: string, taken: readonly string[]): ProgramFolders {
  const left = [...OWN, ...taken.map((path) => path.split("/")[1])];
  const entries = readdirSync(image, { withFileTypes: true }).filter(
    ({ name }) => /^[\w.-]+$/.test(name) && !left.includes(name),
  );
  return {
    folders: Object.fromEntries(
      entries.filter((entry) => entry.isDirectory()).map(({ name }) => [`/${name}`, join(image, name)]),
    ),
    links: entries
      .filter((entry) => entry.isSymbolicLink())
      .map(({ name }) => [readlinkSync(join(image, name)), `/${name}`]),
  };
}

function isReadableByAll(path: string): boolean {
  return ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0;
}
