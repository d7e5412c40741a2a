import { createHash } from "node:crypto";
import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
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

export interface OpenJournal {
  /**
   * Writes the entries, and removes each from the list. After an error, the next call writes over what was
   * left of one.
   */
  append(entries: JournalEntry[]): void;
  close(): void;
}

/** Makes the folder, and removes old journals from it. */
export async function openJournalFiles(folder: string): Promise<JournalFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pathOf = (session: string) => join(folder, `${fileNameOf(session)}.ndjson`);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = name.endsWith(".ndjson") ? await stat(path).catch(() => null) : null;
    if (found && Date.now() - found.mtimeMs > KEPT_MS) await rm(path, { force: true });
  }
  return {
    read: async (session) => (await readComplete(pathOf(session))).entries,

    async open(session) {
      const path = pathOf(session);
      let { bytes } = await readComplete(path);
      const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      ftruncateSync(file, bytes);
      return {
        append(entries) {
          for (; entries[0]; entries.shift()) {
            const line = Buffer.from(`${JSON.stringify(entries[0])}\n`);
            try {
              // Takes microseconds, because nothing waits for the disk.
              for (let done = 0; done < line.length; )
                done += writeSync(file, line, done, line.length - done, bytes + done);
            } catch (error) {
              throw fileSystemError(Object.assign(error as Error, { path })) ?? error;
            }
            bytes += line.length;
          }
        },
        close: () => closeSync(file),
      };
    },

    remove: (session) => rm(pathOf(session), { force: true }),
  };
}

/** Ids of submissions stay readable. */
function fileNameOf(session: string): string {
  return /^[\w-]{1,100}$/.test(session) ? session : `~${createHash("sha256").update(session).digest("hex")}`;
}

/** Reads up to the first line that is not complete, which an interrupted write has left. */
async function readComplete(path: string): Promise<{ entries: JournalEntry[]; bytes: number }> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw fileSystemError(error) ?? error;
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
