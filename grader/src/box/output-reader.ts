import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { isInside, linksInside } from "@crowdai/shared/bundles";
import type { LeftEntry, TakeFile } from "./sandbox.ts";

const BLOCK = 512;
/** Blocks that are written at once. An archive is filled up with empty blocks to a multiple of them. */
export const ARCHIVE_BLOCKS = 128;
const RECORD = ARCHIVE_BLOCKS * BLOCK;
const MAX_LINE_BYTES = 200;
const MAX_FILES = 10_000;

/** Where the files of an archive go. */
export interface Collection {
  folder: string;
  take: TakeFile;
  /** Of the archive. */
  maxArchiveBytes: number;
  /** Targets of symbolic links that were taken, by their names. */
  links: Map<string, string>;
}

/**
 * Makes the links of a collection that stay inside. Called when no more files come, so that none is written
 * through a link.
 */
export function makeLinks({ folder, links }: Pick<Collection, "folder" | "links">): void {
  for (const [name, target] of linksInside(links)) {
    const path = join(folder, name);
    unlessImpossible(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      symlinkSync(target, path);
    });
  }
}

/** Takes all files up to a number of bytes together. */
export function takeUpTo(maxBytes: number): TakeFile {
  let files = 0;
  let bytes = 0;
  return ({ kind, size }) => {
    if (kind !== "file" || files >= MAX_FILES || bytes + size > maxBytes) return false;
    files++;
    bytes += size;
    return true;
  };
}

/**
 * Reads what comes out of a box: lines of text, and after a line "files" an archive. The program in the box
 * can write there too, so nothing in it is trusted: names are checked, and only regular files are written,
 * each once, into a folder that no box can see.
 */
export function createOutputReader(options: {
  /** Returns where the files of an archive go; null when none was asked for. */
  collection(): Collection | null;
  onLine(line: string): void;
  /** Called once when the output makes no sense. Further output is ignored. */
  onInvalid(): void;
}) {
  let mode: "text" | "header" | "body" | "end" | "invalid" = "text";
  let held: Buffer = Buffer.alloc(0);
  let collection: Collection | null = null;
  let archiveBytes = 0;
  let emptyBlocks = 0;
  let bodyLeft = 0;
  let paddingLeft = 0;
  let file: number | null = null;
  const folders = new Set<string>();

  /** Called between two files, so that none is open. */
  function invalid(): boolean {
    mode = "invalid";
    options.onInvalid();
    return false;
  }

  function closeFile() {
    if (file !== null) closeSync(file);
    file = null;
  }

  function takeLine(): boolean {
    const end = held.indexOf(10);
    if (end === -1) return held.length > MAX_LINE_BYTES && invalid();
    const line = held.toString("latin1", 0, end);
    held = held.subarray(end + 1);
    if (line !== "files") options.onLine(line);
    else {
      collection = options.collection();
      if (!collection) return invalid();
      mode = "header";
      folders.clear();
      [archiveBytes, emptyBlocks] = [0, 0];
    }
    return true;
  }

  function takeHeader(): boolean {
    if (held.length < BLOCK) return false;
    const header = held.subarray(0, BLOCK);
    held = held.subarray(BLOCK);
    archiveBytes += BLOCK;
    if (header.every((byte) => byte === 0)) {
      if (++emptyBlocks === 2) {
        mode = "end";
        paddingLeft = (RECORD - (archiveBytes % RECORD)) % RECORD;
      }
      return true;
    }
    const entry = readHeader(header);
    if (!entry || emptyBlocks > 0) return invalid();
    bodyLeft = entry.size;
    paddingLeft = (BLOCK - (entry.size % BLOCK)) % BLOCK;
    archiveBytes += bodyLeft + paddingLeft;
    if (archiveBytes > collection!.maxArchiveBytes) return invalid();
    if (collection!.take(entry)) {
      if (entry.kind === "file") file = openNew(collection!.folder, entry.name, entry.isExecutable, folders);
      else if (entry.target !== null && isInside(entry.name)) collection!.links.set(entry.name, entry.target);
    }
    mode = "body";
    return true;
  }

  function takeEnd(): boolean {
    const padding = Math.min(held.length, paddingLeft);
    held = held.subarray(padding);
    paddingLeft -= padding;
    if (paddingLeft > 0) return false;
    mode = "text";
    return true;
  }

  function takeBody(): boolean {
    const body = held.subarray(0, Math.min(held.length, bodyLeft));
    for (let at = 0; file !== null && at < body.length; ) at += writeSync(file, body, at);
    const padding = Math.min(held.length - body.length, paddingLeft);
    held = held.subarray(body.length + padding);
    bodyLeft -= body.length;
    paddingLeft -= padding;
    if (bodyLeft + paddingLeft > 0) return false;
    closeFile();
    mode = "header";
    return true;
  }

  /** Returns whether there may be more to take. */
  function take(): boolean {
    if (mode === "text") return takeLine();
    if (mode === "header") return takeHeader();
    if (mode === "body") return takeBody();
    return takeEnd();
  }

  return {
    push(chunk: Buffer): void {
      if (mode === "invalid") return;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (take());
    },
    /** Closes what is open. */
    end: closeFile,
  };
}

/** Returns null for what is not a header of the ustar format. */
function readHeader(header: Buffer): (LeftEntry & { isExecutable: boolean }) | null {
  const text = (from: number, to: number) => header.toString("utf8", from, to).split("\0", 1)[0]!;
  const number = (from: number, to: number) => {
    const digits = text(from, to).trim();
    return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : null;
  };
  const size = number(124, 136);
  if (size === null) return null;
  const counted = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (counted !== number(148, 156)) return null;
  const type = String.fromCharCode(header[156]!);
  const kind = KINDS[type] ?? "other";
  const prefix = text(345, 500);
  const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
  const isExecutable = ((number(100, 108) ?? 0) & 0o111) !== 0;
  const plain = name.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "");
  // The other types of this format have no body, whatever their size says.
  return {
    ...{ name: plain, kind, size: kind === "file" ? size : 0, isExecutable },
    target: type === "2" ? text(157, 257) : null,
  };
}

const KINDS: Record<string, LeftEntry["kind"]> = {
  ...{ "0": "file", "\0": "file", "1": "link", "2": "link", "5": "folder", "6": "pipe" },
};

/**
 * Opens a new file below a folder; `made` are the folders that exist there. Null when the name leads out of
 * it, or cannot be used.
 */
function openNew(folder: string, name: string, isExecutable: boolean, made: Set<string>): number | null {
  if (name.split("/").includes("..") || name.startsWith("/") || name.includes("\0")) return null;
  // For no name, this is the folder, which exists already.
  const path = join(folder, name);
  return unlessImpossible(() => {
    if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    made.add(dirname(path));
    return openSync(path, "wx", isExecutable ? 0o700 : 0o600);
  });
}

/** Returns null for a file and a folder of one name, and for a name that is too long here. */
function unlessImpossible<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR" || code === "ENAMETOOLONG") return null;
    throw error;
  }
}
