import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSubmissionId, SUBMISSION_ID } from "@crowdai/shared";
import { z } from "zod";

/** Longer than any broker waits for the bytes of an announced file. */
const OLDEST_MS = 24 * 3600 * 1000;
const noteSchema = z.object({ id: z.string().regex(SUBMISSION_ID), pid: z.number().int(), at: z.number() });

export interface Unfinished {
  id: string;
  /** Whether an earlier run left off with this id. */
  resumed: boolean;
  /** To be called once it is known how that submission stands: accepted, or refused. */
  forget(): void;
}

/**
 * The id for a submission of exactly this. A run that broke before it was accepted leaves a note, so that the same command
 * given again goes on with that id instead of taking a second slot. A folder that cannot be written only costs that.
 */
export function unfinishedId(folder: string, what: readonly (string | null)[]): Unfinished {
  const name = createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 32);
  const path = join(folder, "unfinished", `${name}.json`);
  const forget = () => rmSync(path, { force: true });

  const left = readNote(path);
  // Another command may be at it right now; then this is a submission of its own.
  if (left && left.pid !== process.pid && isAlive(left.pid))
    return { id: createSubmissionId(), resumed: false, forget: () => {} };
  const resumed = left !== null && Date.now() - left.at < OLDEST_MS;
  const id = resumed ? left.id : createSubmissionId();
  try {
    mkdirSync(join(folder, "unfinished"), { recursive: true, mode: 0o700 });
    writeFileSync(path, JSON.stringify({ id, pid: process.pid, at: Date.now() }), { mode: 0o600 });
  } catch {
    return { id, resumed, forget: () => {} };
  }
  return { id, resumed, forget };
}

function readNote(path: string): z.infer<typeof noteSchema> | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
