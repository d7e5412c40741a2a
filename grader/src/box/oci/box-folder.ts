import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BOX, type BoxPlan } from "../sandbox.ts";
import { undoOnError } from "../undo-on-error.ts";

/** A folder of one box on this machine. The box sees only what is mounted from it. */
export interface BoxFolder {
  /** Lines for the table of mounts. All mounts are below MOUNTED in the namespace that makes them. */
  readonly mounts: readonly string[];
  /** Where each readable file or folder is, by its path in the box. */
  readonly sources: ReadonlyMap<string, string>;
  /** Whether what is at a path of the box is a file. */
  isFile(path: string): boolean;
  remove(): void;
}

/** Where the runtime finds what it mounts. Every machine has the folder, and every user can read it. */
const MOUNTED = "/tmp";

/**
 * Prepares the parts of a box that it can only read. Folders get an overlay of their own in each box: a lock
 * or a watch on a shared folder would carry messages between boxes. Files are copied for the same reason, and
 * the inbox is the box's own anyway.
 */
export function createBoxFolder(
  parent: string,
  readable: BoxPlan["readable"],
  inbox: { source: string; path: string } | null,
): BoxFolder {
  const paths = Object.keys(readable);
  if (inbox) paths.push(inbox.path);
  const outer = [...paths, BOX.scratch, BOX.output, "/dev", "/proc"];
  const inner = paths.find((path) => outer.some((other) => path.startsWith(`${other}/`)));
  // A link in the outer part could lead it elsewhere.
  if (inner !== undefined) throw new Error(`${inner} is inside of another part of the box.`);
  // A mount table and the options of a mount have characters with a meaning: only paths without them are
  // named there.
  if (!/^[\w./-]+$/.test(parent))
    throw new Error(`The work folder ${parent} has characters that a mount cannot have.`);
  const dir = mkdtempSync(join(parent, "box-"));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  return { ...undoOnError(remove, () => fillBoxFolder(dir, readable, inbox)), remove };
}

function fillBoxFolder(
  dir: string,
  readable: BoxPlan["readable"],
  inbox: { source: string; path: string } | null,
): Omit<BoxFolder, "remove"> {
  const root = join(dir, "root");
  mkdirSync(root);
  const mounts = [
    `crowdai-box ${root} tmpfs mode=755,size=64k 0 0`,
    `crowdai-box-empty ${root}/empty tmpfs mode=755,size=4k,X-mount.mkdir 0 0`,
  ];
  const sources = new Map<string, string>();
  const files = new Set<string>();
  Object.entries(readable).forEach(([path, source], index) => {
    const layers = typeof source === "string" ? [source] : source;
    const named = layers.map((_, layer) => join(dir, `source-${index}-${layer}`));
    if (statSync(layers[0]!).isDirectory()) {
      for (const [layer, folder] of layers.entries()) symlinkSync(folder, named[layer]!);
      const lower = [...named, `${root}/empty`].join(":");
      mounts.push(`overlay ${root}/${index} overlay ro,lowerdir=${lower},X-mount.mkdir 0 0`);
      sources.set(path, join(MOUNTED, String(index)));
    } else {
      mkdirSync(named[0]!, { mode: 0o755 });
      copyFileSync(layers[0]!, join(named[0]!, "file"));
      mounts.push(`${named[0]} ${root}/${index} none bind,X-mount.mkdir 0 0`);
      sources.set(path, join(MOUNTED, String(index), "file"));
      files.add(path);
    }
  });
  if (inbox) {
    symlinkSync(inbox.source, join(dir, "inbox"));
    mounts.push(`${dir}/inbox ${root}/inbox none bind,X-mount.mkdir 0 0`);
    sources.set(inbox.path, join(MOUNTED, "inbox"));
  }
  mounts.push(`${root} ${MOUNTED} none rbind 0 0`);
  return { mounts, sources, isFile: (path) => files.has(path) };
}
