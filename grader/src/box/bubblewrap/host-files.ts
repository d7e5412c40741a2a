import { cpSync, existsSync, lstatSync, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What programs need of /etc: nothing that tells of this machine's users, networks or keys. */
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

/** Returns the folders of this machine's programs, and the links to them at the root. */
export function programFolders(): { folders: string[]; links: [target: string, path: string][] } {
  const names = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"].filter((name) => existsSync(`/${name}`));
  const isLink = (name: string) => lstatSync(`/${name}`).isSymbolicLink();
  return {
    folders: ["/usr", ...names.filter((name) => !isLink(name)).map((name) => `/${name}`)],
    links: names.filter(isLink).map((name) => [readlinkSync(`/${name}`), `/${name}`]),
  };
}

export const hiddenFiles = () => HIDDEN.map((name) => `/proc/${name}`).filter((path) => existsSync(path));
