import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { BoxPlan } from "../sandbox.ts";

/** A folder of one box on this machine. The box sees only what is mounted from it. */
export interface BoxFolder {
  /** The table of mounts, for `mount --all`. All are below MOUNTED in the namespace that makes them. */
  readonly mounts: string;
  /** Where each readable file or folder is, by its path in the box. */
  readonly sources: ReadonlyMap<string, string>;
  /** Opens a file with arguments for bubblewrap. */
  openArguments(args: readonly string[]): number;
  remove(): void;
}

/** Where the mounts of a box are before bubblewrap moves them into it. Every machine has it, and every user can read it. */
const MOUNTED = "/tmp";

/**
 * Prepares the parts of a box that it can only read. Folders get an overlay of their own in each box: a lock or a watch on a shared
 * folder would carry messages between boxes. Files are copied for the same reason, and the inbox is the box's own anyway.
 */
export function createBoxFolder(
  parent: string,
  readable: BoxPlan["readable"],
  inbox: { source: string; path: string } | null,
): BoxFolder {
  const dir = mkdtempSync(join(parent, "box-"));
  // A mount table and the options of a mount have characters with a meaning: only paths without them are named there.
  if (!/^[\w./-]+$/.test(dir))
    throw new Error(`The work folder ${dir} has characters that a mount cannot have.`);
  const root = join(dir, "root");
  mkdirSync(root);
  const mounts = [
    `crowdai-box ${root} tmpfs mode=755,size=64k 0 0`,
    `crowdai-box-empty ${root}/empty tmpfs mode=755,size=4k,X-mount.mkdir 0 0`,
  ];
  const sources = new Map<string, string>();
  Object.entries(readable).forEach(([path, source], index) => {
    const folders = typeof source === "string" ? [source] : source;
    const isFolder = statSync(folders[0]!).isDirectory();
    const named = folders.map((_, layer) => join(dir, `source-${index}-${layer}`));
    if (isFolder) {
      folders.forEach((folder, layer) => {
        symlinkSync(folder, named[layer]!);
      });
      const lower = [...named, `${root}/empty`].join(":");
      mounts.push(`overlay ${root}/${index} overlay ro,lowerdir=${lower},X-mount.mkdir 0 0`);
    } else {
      mkdirSync(named[0]!, { mode: 0o755 });
      copyFileSync(folders[0]!, join(named[0]!, "file"));
      mounts.push(`${named[0]} ${root}/${index} none bind,X-mount.mkdir 0 0`);
    }
    sources.set(path, join(MOUNTED, String(index), isFolder ? "" : "file"));
  });
  if (inbox) {
    symlinkSync(inbox.source, join(dir, "inbox"));
    mounts.push(`${dir}/inbox ${root}/inbox none bind,X-mount.mkdir 0 0`);
    sources.set(inbox.path, join(MOUNTED, "inbox"));
  }
  mounts.push(`${root} ${MOUNTED} none rbind 0 0`);
  const table = join(dir, "mounts");
  writeFileSync(table, `${mounts.join("\n")}\n`);
  return {
    mounts: table,
    sources,
    openArguments(args) {
      const file = join(dir, "arguments");
      writeFileSync(file, args.map((arg) => `${arg}\0`).join(""));
      return openSync(file, "r");
    },
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }),
  };
}
