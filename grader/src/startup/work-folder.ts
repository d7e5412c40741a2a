import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { lockFile } from "@crowdai/shared/file-lock";

const PREFIX = "crowdai-grader-";
const LOCK = "grader.lock";
/** The grader of a folder younger than this may not have locked it yet. */
const YOUNG_MS = 60_000;

/** A folder that only this grader uses, for workspaces and bundles. Disposing it removes it. */
export interface WorkFolder extends AsyncDisposable {
  dir: string;
}

/**
 * Makes a work folder under `parent`, and removes those of killed graders, whose bundles would fill the disk.
 */
export async function openWorkFolder(parent: string): Promise<WorkFolder> {
  await removeAbandoned(parent);
  const dir = await mkdtemp(join(parent, PREFIX));
  const lock = lockFile(join(dir, LOCK));
  return {
    dir,
    async [Symbol.asyncDispose]() {
      lock?.release();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => []))
    if (name.startsWith(PREFIX)) await removeIfAbandoned(join(parent, name)).catch(() => {});
}

/** Rejects when the folder belongs to another user, or when another grader removes it at the same time. */
async function removeIfAbandoned(dir: string): Promise<void> {
  if (Date.now() - (await stat(dir)).mtimeMs < YOUNG_MS || !existsSync(join(dir, LOCK))) return;
  const lock = lockFile(join(dir, LOCK));
  if (!lock) return;
  lock.release();
  await rm(dir, { recursive: true, force: true });
}
