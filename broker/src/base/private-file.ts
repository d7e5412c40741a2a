import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "@crowdai/shared/make-folder";

/**
 * Writes a file that only its owner can read, whole or not at all, also in a power failure. Returns false,
 * and changes nothing, if the file exists.
 */
export function createPrivateFile(path: string, contents: Uint8Array): boolean {
  return writeDurably(path, contents, (temporary) => {
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}

/** Writes a file as createPrivateFile does, and replaces an existing one. */
export function replacePrivateFile(path: string, contents: Uint8Array): void {
  writeDurably(path, contents, (temporary) => renameSync(temporary, path));
}

/**
 * Makes a folder that only its owner can read, and those above it. Where it is new, it survives a power
 * failure.
 */
export function createPrivateFolder(path: string): void {
  const first = makeFolder(path, 0o700);
  if (first === undefined) return;
  for (let above = dirname(path); ; above = dirname(above)) {
    sync(openSync(above, "r"));
    if (above === dirname(first)) return;
  }
}

function writeDurably<T>(path: string, contents: Uint8Array, publish: (temporary: string) => T): T {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    sync(openSync(temporary, "wx", 0o600), (file) => {
      for (let written = 0; written < contents.length; ) written += writeSync(file, contents, written);
    });
    const result = publish(temporary);
    sync(openSync(dirname(path), "r"));
    return result;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function sync(file: number, before?: (file: number) => void): void {
  try {
    before?.(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
