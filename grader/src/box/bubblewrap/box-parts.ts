import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { BOX, type BoxPlan } from "../sandbox.ts";
import { undoOnError } from "../undo-on-error.ts";
import { FLAGS, MADE, type Mount } from "./starter.ts";

/** The parts of a box that it can only read. */
export interface BoxParts {
  /** To be made in the box's own namespace of mounts. Afterwards, all parts are below MOUNTED. */
  readonly mounts: readonly Mount[];
  /** Where each readable file or folder is then, by its path in the box. */
  readonly sources: ReadonlyMap<string, string>;
  /** Where a /dev is then, and an empty file. */
  readonly devices: string;
  readonly nothing: string;
  /** Removes copies. */
  remove(): void;
}

/**
 * Where the mounts of a box are before bubblewrap moves them into it. Every machine has it, and every user
 * can read it.
 */
const MOUNTED = "/tmp";

/** Numbers of the devices that programs need: 256 times the major number, plus the minor one. */
const DEVICES = { null: 0x103, zero: 0x105, full: 0x107, random: 0x108, urandom: 0x109, tty: 0x500 };
const DEVICE_LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx",
};

/**
 * Plans the parts of a box that it can only read. `root` is an empty folder, the same for all boxes: each
 * covers it in its own namespace. Folders get an overlay of their own in each box: a lock or a watch on a
 * shared folder would carry messages between boxes. Files are copied into `parent` for the same reason, and
 * the inbox is the box's own anyway.
 */
export function planBoxParts(
  { root, parent }: { root: string; parent: string },
  readable: BoxPlan["readable"],
  inbox: { source: string; path: string } | null,
): BoxParts {
  // The options of a mount have characters with a meaning: only links without them are named there.
  if (!/^[\w./-]+$/.test(root))
    throw new Error(`The work folder ${root} has characters that a mount cannot have.`);
  const paths = Object.keys(readable);
  if (inbox) paths.push(inbox.path);
  const outer = [...paths, BOX.scratch, BOX.output, "/dev", "/proc"];
  const inner = paths.find((path) => outer.some((other) => path.startsWith(`${other}/`)));
  // A link in the outer part could lead it elsewhere.
  if (inner !== undefined) throw new Error(`${inner} is inside of another part of the box.`);
  let copies: string | null = null;
  const remove = () => {
    if (copies !== null) rmSync(copies, { recursive: true, force: true, maxRetries: 3 });
  };
  const mounts = [memory(root, "mode=755,size=64k"), memory(`${root}/empty`, "mode=755,size=4k")];
  const sources = new Map<string, string>();
  const add = ([path, source]: [string, string | readonly string[]], index: number) => {
    const target = `${root}/${index}`;
    const folders = typeof source === "string" ? [source] : source;
    const isFolder = statSync(folders[0]!).isDirectory();
    if (isFolder) {
      const links = folders.map((_, layer) => `${root}/from-${index}-${layer}`);
      mounts.push(...folders.map((folder, layer) => made(MADE.link, folder, links[layer]!)));
      const data = `lowerdir=${[...links, `${root}/empty`].join(":")}`;
      mounts.push({ type: "overlay", source: "crowdai-box", target, flags: FLAGS.readOnly, data });
    } else {
      copies ??= mkdtempSync(join(parent, "box-"));
      const copy = join(copies, String(index));
      mkdirSync(copy, { mode: 0o755 });
      copyFileSync(folders[0]!, join(copy, "file"));
      mounts.push(bind(copy, target));
    }
    sources.set(path, join(MOUNTED, String(index), isFolder ? "" : "file"));
  };
  undoOnError(remove, () => Object.entries(readable).forEach(add));
  if (inbox) {
    mounts.push(bind(inbox.source, `${root}/inbox`));
    sources.set(inbox.path, join(MOUNTED, "inbox"));
  }
  mounts.push(...planDevices(`${root}/dev`), made(MADE.file, "", `${root}/nothing`));
  mounts.push(bind(root, MOUNTED, FLAGS.move));
  return {
    ...{ mounts, sources, devices: join(MOUNTED, "dev"), nothing: join(MOUNTED, "nothing") },
    remove,
  };
}

/**
 * Plans a /dev with devices of its own: a lock or a watch on a device of the machine would carry messages,
 * too.
 */
function planDevices(folder: string): Mount[] {
  return [
    memory(folder, "mode=755,size=4k"),
    ...Object.entries(DEVICES).map(([name, number]) =>
      made(MADE.device, String(number), `${folder}/${name}`),
    ),
    ...Object.entries(DEVICE_LINKS).map(([name, target]) => made(MADE.link, target, `${folder}/${name}`)),
    { ...memory(`${folder}/pts`, "newinstance,ptmxmode=0666,mode=620"), type: "devpts" },
    // Covered by bubblewrap, with a size.
    memory(`${folder}/shm`, "mode=755,size=4k"),
    { ...memory(folder, ""), flags: FLAGS.nowReadOnly },
  ];
}

function made(type: string, source: string, target: string): Mount {
  return { type, source, target, flags: FLAGS.none, data: "" };
}

function bind(source: string, target: string, flags: number = FLAGS.bind): Mount {
  return { type: "none", source, target, flags, data: "" };
}

function memory(target: string, data: string): Mount {
  return { type: "tmpfs", source: "crowdai-box", target, flags: FLAGS.none, data };
}
