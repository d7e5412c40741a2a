import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";

export interface StoreFolder {
  path: string;
  /** True if the user's own folder is not writable, so that no later run will find this one. */
  temporary: boolean;
  remove(): void;
}

/**
 * Returns the folder of one project's snapshots, creating it if needed: a temporary one if the user's own
 * folder is not writable. Throws file_unwritable if neither is.
 */
export function projectStore(folder: string, project: string): StoreFolder {
  const key = createHash("sha256").update(project).digest("hex").slice(0, 32);
  const path = join(folder, key);
  try {
    makeFolder(path, 0o700);
    requireWritable(path);
    return { path: realpathSync(path), temporary: false, remove: () => {} };
  } catch {
    const own = temporaryStore(path);
    return { path: own, temporary: true, remove: () => rmSync(own, { recursive: true, force: true }) };
  }
}

function temporaryStore(instead: string): string {
  try {
    const own = mkdtempSync(join(realpathSync(tmpdir()), "crowdai-code-"));
    requireWritable(own);
    return own;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CrowdaiError(
      "file_unwritable",
      `The code cannot be stored: neither ${instead} nor ${tmpdir()} can be written (${code}).`,
      { details: { path: instead, reason: code }, cause },
    );
  }
}

/** Throws if no file can be written in the folder, for lack of a permission or of space. */
function requireWritable(folder: string): void {
  const path = join(folder, `probe-${randomUUID()}`);
  try {
    writeFileSync(path, "writable\n");
  } finally {
    rmSync(path, { force: true });
  }
}
