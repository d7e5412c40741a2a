import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSubmissionId, SUBMISSION_ID } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { z } from "zod";
import { removeQuietly } from "../config/remove-quietly.ts";

/** How long brokers wait for the bytes of an announced file before they end the submission. */
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;
const noteSchema = z.object({
  id: z.string().regex(SUBMISSION_ID),
  pid: z.number().int(),
  at: z.number(),
  of: z.string().optional(),
  sha256: z.string().optional(),
});
type Note = z.infer<typeof noteSchema>;

export interface Unfinished {
  id: string;
  /** Whether an earlier run started with this id. */
  resumed: boolean;
  /** Removes the note, once the submission is accepted or refused. */
  forget(): void;
}

/** A file and the digest of its content. */
export interface FileState {
  of: readonly string[];
  sha256: string;
}

/**
 * Returns the id for a submission of exactly this content. A run that broke before the submission was
 * accepted leaves a note, so that the same command continues with that id. If the folder is not writable,
 * each run has a new id.
 */
export function unfinishedId(
  folder: string,
  what: readonly (string | null)[],
  file: FileState | null = null,
): Unfinished {
  const path = join(folder, "unfinished", `${digest(what)}.json`);
  const forget = () => removeQuietly(path);

  const left = readNote(path);
  // Another command may be sending it right now; then this is a separate submission.
  if (left && isHeld(left)) return { id: createSubmissionId(), resumed: false, forget: () => {} };
  const resumed = left !== null && Date.now() - left.at < MAX_AGE_MS;
  const id = resumed ? left.id : createSubmissionId();
  const note: Note = {
    id,
    pid: process.pid,
    at: resumed ? left.at : Date.now(),
    ...(file ? { of: digest(file.of), sha256: file.sha256 } : {}),
  };
  try {
    makeFolder(join(folder, "unfinished"), 0o700);
    writeFileSync(path, JSON.stringify(note), { mode: 0o600 });
  } catch {
    return { id, resumed, forget: () => {} };
  }
  return { id, resumed, forget };
}

/** Returns unfinished submissions of earlier content of the same file whose runs have ended. */
export function submissionsOfEarlierContent(
  folder: string,
  file: FileState,
): Pick<Unfinished, "id" | "forget">[] {
  const of = digest(file.of);
  return names(join(folder, "unfinished")).flatMap((name) => {
    const path = join(folder, "unfinished", name);
    const note = readNote(path);
    if (!note || note.of !== of || note.sha256 === file.sha256 || isHeld(note)) return [];
    return [{ id: note.id, forget: () => removeQuietly(path) }];
  });
}

function digest(what: readonly (string | null)[]): string {
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 32);
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readNote(path: string): Note | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return null;
  }
}

/** Whether another live process is working on it. */
function isHeld({ pid }: Note): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
