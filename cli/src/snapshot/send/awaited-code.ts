import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SUBMISSION_ID } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { z } from "zod";
import { removeQuietly } from "../../config/remove-quietly.ts";

/** Longer than any broker waits for code. */
const MAX_AGE_MS = 30 * 24 * 3600 * 1000;

const noteSchema = z.object({
  id: z.string().regex(SUBMISSION_ID),
  broker: z.string(),
  challenge: z.string(),
  participant: z.string(),
  project: z.string(),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  url: z.string(),
  ref: z.string().regex(/^refs\/[\w./-]+$/),
  at: z.number(),
});
/** Code that was announced with a submission and has not reached the broker yet. */
export type AwaitedCode = z.infer<typeof noteSchema>;

/**
 * Records announced code. Call it before the push, so that a killed push can be repeated later. Returns false
 * if the record cannot be written.
 */
export function noteAwaited(codeFolder: string, awaited: AwaitedCode): boolean {
  const folder = join(codeFolder, "awaited");
  const path = join(folder, `${awaited.id}.json`);
  try {
    makeFolder(folder, 0o700);
    writeFileSync(`${path}.part`, JSON.stringify(awaited), { mode: 0o600 });
    renameSync(`${path}.part`, path);
    return true;
  } catch {
    return false;
  }
}

/** Removes the record once the broker has the code, or has refused it. */
export function forgetAwaited(codeFolder: string, id: string): void {
  removeQuietly(join(codeFolder, "awaited", `${id}.json`));
}

/** Returns the code that a broker still expects, oldest first; only that of submission `id` if given. */
export function readAwaited(codeFolder: string, broker: string, id?: string): AwaitedCode[] {
  let names: string[];
  try {
    names = readdirSync(join(codeFolder, "awaited")).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
  return names
    .flatMap((name) => {
      const path = join(codeFolder, "awaited", name);
      try {
        const note = noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
        if (Date.now() - note.at < MAX_AGE_MS) return [note];
        removeQuietly(path);
      } catch {
        removeQuietly(path);
      }
      return [];
    })
    .filter((note) => note.broker === broker && (id === undefined || note.id === id))
    .sort((a, b) => a.at - b.at);
}
