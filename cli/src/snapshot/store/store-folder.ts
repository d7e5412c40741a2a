import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** Where snapshots are kept: below CROWDAI_CONFIG_DIR when that is set, else where the operating system keeps caches. */
export function codeFolder(env: Env, platform: NodeJS.Platform = process.platform): string {
  if (env.CROWDAI_CONFIG_DIR) return join(resolve(env.CROWDAI_CONFIG_DIR), "code");
  const home = env.HOME || env.USERPROFILE || homedir();
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME))
    return join(env.XDG_CACHE_HOME, "crowdai", "code");
  if (platform === "win32")
    return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "crowdai", "code");
  if (platform === "darwin") return join(home, "Library", "Caches", "crowdai", "code");
  return join(home, ".cache", "crowdai", "code");
}

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
