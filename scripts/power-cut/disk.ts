import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import type { Change, Step } from "./trace.ts";

type Edit = { number: number } & ({ at: number; bytes: Buffer } | { length: number });
/** Names that appear and disappear together, or not at all. */
interface Naming {
  number: number;
  names: [name: string, node: Node | null][];
  /** The rename as the folder that it went to sees it: an entry that left here arrived there. */
  arrival?: { folder: FolderNode; number: number };
}

interface FileNode {
  kind: "file";
  synced: Buffer;
  edits: Edit[];
  size: number;
}

interface FolderNode {
  kind: "folder";
  synced: Map<string, Node>;
  syncedTo: number;
  namings: Naming[];
  now: Map<string, Node>;
}

type Node = FileNode | FolderNode;

/** How much of what was not synced a cut leaves: the hardest a disk may be, anything between, or all. */
export type Mercy = "nothing" | "some" | "all";

/**
 * A disk that forgets what was not synced. A file's bytes are safe after an fsync of the file; its name,
 * after an fsync of its folder. Everything else may be gone after a cut, or there, or there in part. Stricter
 * than any file system in use.
 */
export interface Disk {
  apply(step: Step): void;
  /** Writes into a folder what a power cut at this moment leaves. */
  cut(into: string, random: SeededRandom, mercy: Mercy): void;
}

/** A disk with a folder, which is empty at first. */
export function createDisk(root: string): Disk {
  const top = newFolder();
  const positions = new Map<string, number | "end">();
  const begun = new Map<Change, { file: Node; number: number }>();
  /** Folders whose making has begun, and whose end is not recorded yet. */
  const making = new Set<string>();
  let count = 0;

  function find(path: string): Node | undefined {
    if (path === root) return top;
    if (!path.startsWith(`${root}/`)) return undefined;
    const parent = find(dirname(path));
    return parent?.kind === "folder" ? parent.now.get(basename(path)) : undefined;
  }

  function folderOf(path: string): FolderNode {
    // Another thread may already use a folder that is made.
    if (making.has(dirname(path))) makeFolder(dirname(path));
    const parent = find(dirname(path));
    if (parent?.kind !== "folder") throw new Error(`There is no folder of ${path} in the recording.`);
    return parent;
  }

  function makeFolder(path: string): void {
    making.delete(path);
    if (find(path) === undefined) name(folderOf(path), [[basename(path), newFolder()]]);
  }

  function name(folder: FolderNode, names: Naming["names"], arrival?: Naming["arrival"]): Naming {
    const naming = { number: ++count, names, ...(arrival ? { arrival } : {}) };
    folder.namings.push(naming);
    for (const [name, node] of names)
      if (node) folder.now.set(name, node);
      else folder.now.delete(name);
    return naming;
  }

  function edit(file: Node | undefined, change: { at: number; bytes: Buffer } | { length: number }): void {
    // A removed file's bytes are of no more interest.
    if (file?.kind !== "file") return;
    file.edits.push({ number: ++count, ...change });
    file.size = "length" in change ? change.length : Math.max(file.size, change.at + change.bytes.length);
  }

  function write(path: string, fd: string, bytes: Buffer): void {
    const file = find(path);
    if (file?.kind !== "file") return;
    const key = `${fd} ${path}`;
    const position = positions.get(key) ?? 0;
    const at = position === "end" ? file.size : position;
    edit(file, { at, bytes });
    if (position !== "end") positions.set(key, at + bytes.length);
  }

  function done(change: Change): void {
    switch (change.type) {
      case "open": {
        const { path, fd, create, truncate, append } = change;
        const known = find(path);
        if (!known && create)
          name(folderOf(path), [
            [basename(path), { kind: "file", synced: Buffer.alloc(0), edits: [], size: 0 }],
          ]);
        if (known && truncate) edit(known, { length: 0 });
        positions.set(`${fd} ${path}`, append ? "end" : 0);
        return;
      }
      case "write":
        if (change.at === null) write(change.path, change.fd, change.bytes);
        else edit(find(change.path), { at: change.at, bytes: change.bytes });
        return;
      case "copy": {
        const from = find(change.from);
        const bytes = from?.kind === "file" ? contentsOf(from, from.edits) : readFileSync(change.from);
        write(change.path, change.fd, bytes.subarray(0, change.length));
        return;
      }
      case "truncate":
        edit(find(change.path), { length: change.length });
        return;
      case "folder":
        return void makeFolder(change.path);
      case "remove":
        return void name(folderOf(change.path), [[basename(change.path), null]]);
      case "link":
        return void name(folderOf(change.path), [[basename(change.path), find(change.from)!]]);
      case "rename": {
        const [source, target] = [folderOf(change.from), folderOf(change.path)];
        const node = find(change.from)!;
        const [left, arrived] = [basename(change.from), basename(change.path)];
        if (source === target)
          return void name(source, [
            [left, null],
            [arrived, node],
          ]);
        const { number } = name(target, [[arrived, node]]);
        return void name(source, [[left, null]], { folder: target, number });
      }
      case "sync": {
        const start = begun.get(change);
        begun.delete(change);
        if (start) sync(start.file, start.number);
      }
    }
  }

  return {
    apply({ change, phase }) {
      if (phase === "ends") return done(change);
      if (change.type === "folder") making.add(change.path);
      const file = change.type === "sync" ? find(change.path) : undefined;
      if (file) begun.set(change, { file, number: count });
    },
    cut(into, random, mercy) {
      const survivors = new Map<FolderNode, number>();
      const lastSurvivor = (folder: FolderNode): number => {
        const { namings } = folder;
        if (mercy === "nothing") return folder.syncedTo;
        if (mercy === "all") return Number.POSITIVE_INFINITY;
        // A file system does not reorder the names of one folder.
        const known = survivors.get(folder) ?? namings[random.between(0, namings.length + 1) - 1]?.number;
        survivors.set(folder, known ?? folder.syncedTo);
        return known ?? folder.syncedTo;
      };
      writeOut(top, into);

      function writeOut(node: Node, path: string): void {
        if (node.kind === "file") {
          const kept = node.edits.filter(() => mercy === "all" || (mercy === "some" && random.happens(0.5)));
          writeFileSync(path, contentsOf(node, kept), { mode: 0o600 });
          return;
        }
        mkdirSync(path, { recursive: true, mode: 0o700 });
        const names = new Map(node.synced);
        for (const naming of node.namings) if (naming.number <= lastSurvivor(node)) putNames(names, naming);
        for (const [name, child] of names) writeOut(child, join(path, name));
      }

      function putNames(names: Map<string, Node>, { names: changed, arrival }: Naming): void {
        if (arrival && arrival.number > Math.max(arrival.folder.syncedTo, lastSurvivor(arrival.folder)))
          return;
        for (const [name, child] of changed)
          if (child) names.set(name, child);
          else names.delete(name);
      }
    },
  };
}

const newFolder = (): FolderNode => ({
  kind: "folder",
  synced: new Map(),
  syncedTo: 0,
  namings: [],
  now: new Map(),
});

function sync(node: Node, number: number): void {
  if (node.kind === "file") {
    const safe = node.edits.filter((edit) => edit.number <= number);
    node.synced = contentsOf(node, safe);
    node.edits = node.edits.filter((edit) => edit.number > number);
    return;
  }
  for (const naming of node.namings)
    if (naming.number <= number)
      for (const [name, child] of naming.names)
        if (child) node.synced.set(name, child);
        else node.synced.delete(name);
  node.namings = node.namings.filter((naming) => naming.number > number);
  node.syncedTo = Math.max(node.syncedTo, number);
}

function contentsOf({ synced }: FileNode, edits: readonly Edit[]): Buffer {
  let length = synced.length;
  let most = length;
  for (const edit of edits) {
    length = "length" in edit ? edit.length : Math.max(length, edit.at + edit.bytes.length);
    most = Math.max(most, length);
  }
  const bytes = Buffer.alloc(most);
  synced.copy(bytes);
  let end = synced.length;
  for (const edit of edits)
    if ("length" in edit) {
      bytes.fill(0, edit.length, Math.max(end, edit.length));
      end = edit.length;
    } else {
      edit.bytes.copy(bytes, edit.at);
      end = Math.max(end, edit.at + edit.bytes.length);
    }
  return bytes.subarray(0, end);
}
