import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface StoreFolder {
  path: string;
  /** Whether nothing of it will be found by a later run, because the user's own folder cannot be written. */
  temporary: boolean;
  remove(): void;
}

/** The folder of one project's snapshots, made when it is not there. */
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
