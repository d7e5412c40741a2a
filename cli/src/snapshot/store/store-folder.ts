import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface StoreFolder {
  path: string;
  /** True if the user's own folder is not writable, so that no later run will find this one. */
  temporary: boolean;
  remove(): void;
}

/** Returns the folder of one project's snapshots, creating it if needed. */
export function projectStore(folder: string, project: string): StoreFolder {
  const key = createHash("sha256").update(project).digest("hex").slice(0, 32);
  const path = join(folder, key);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return { path: realpathSync(path), temporary: false, remove: () => {} };
  } catch {
    const own = mkdtempSync(join(realpathSync(tmpdir()), "crowdai-code-"));
    return { path: own, temporary: true, remove: () => rmSync(own, { recursive: true, force: true }) };
  }
}
