import { createHash } from "node:crypto";
import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { fileSystemError } from "../file-system-error.ts";
import type { JournalEntry } from "./step-channel.ts";

/** A journal that was last written so long ago belongs to a session that was never forgotten. */
const KEPT_MS = 7 * 24 * 3600 * 1000;

/**
 * Journals in a folder, each a file of one JSON line an entry. A killed process loses nothing; a power cut
 * may lose the last entries.
 */
export interface JournalFiles {
  read(session: string): Promise<JournalEntry[]>;
  open(session: string): Promise<OpenJournal>;
  remove(session: string): Promise<void>;
}

type Write = (file: number, line: Buffer, offset: number, length: number, position: number) => number;

export interface OpenJournal {
  /**
   * Writes the entries, and removes each from the list. After an error, the next call writes over what was
   * left of one.
   */
  append(entries: JournalEntry[]): void;
  close(): void;
}

/**
 * Makes the folder, and removes old journals from it. `write` may write less than it is given, as the
 * system's own may.
 */
export async function openJournalFiles(folder: string, write: Write = writeSync): Promise<JournalFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pathOf = (session: string) => join(folder, `${fileNameOf(session)}.ndjson`);
  for (const name of await readdir(folder)) {
    // Starts without it, too.
    if (name.endsWith(".ndjson")) await removeOld(join(folder, name)).catch(() => {});
  }
  return {
    read: async (session) => (await readComplete(pathOf(session))).entries,

    async open(session) {
      const path = pathOf(session);
      let { bytes } = await readComplete(path);
      const file = usable(path, () =>
        openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600),
      );
      ftruncateSync(file, bytes);
      return {
        append(entries) {
          for (; entries[0]; entries.shift()) {
            const line = Buffer.from(`${JSON.stringify(entries[0])}\n`);
            usable(path, () => {
              // Takes microseconds, because nothing waits for the disk.
              for (let done = 0; done < line.length; )
                done += write(file, line, done, line.length - done, bytes + done);
            });
            bytes += line.length;
          }
        },
        close: () => closeSync(file),
      };
    },

    remove: (session) => rm(pathOf(session), { force: true }),
  };
}

/** Removes a journal of a session that was never forgotten. */
async function removeOld(path: string): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (Date.now() - mtimeMs > KEPT_MS) await unlink(path);
}

function usable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw named(error as Error, path);
  }
}

/** Returns data_unusable for an error of the file system, which may not name the path itself. */
function named(error: Error, path: string): Error {
  return fileSystemError(Object.assign(error, { path })) ?? error;
}

/** Ids of submissions stay readable. */
function fileNameOf(session: string): string {
  return /^[\w-]{1,100}$/.test(session) ? session : `~${createHash("sha256").update(session).digest("hex")}`;
}

/** Reads up to the first line that is not complete, which an interrupted write has left. */
async function readComplete(path: string): Promise<{ entries: JournalEntry[]; bytes: number }> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw named(error, path);
  });
  const entries: JournalEntry[] = [];
  let bytes = 0;
  for (;;) {
    const end = content.indexOf(10, bytes);
    if (end < 0) break;
    try {
      entries.push(JSON.parse(content.toString("utf8", bytes, end)));
    } catch {
      break;
    }
    bytes = end + 1;
  }
  return { entries, bytes };
}
