import { mkdirSync, statSync } from "node:fs";
import module from "node:module";

/**
 * When a server is up, and has compiled most of what it uses: one that is killed later leaves its code for
 * the next start.
 */
const WRITE_MS = 5000;

/**
 * Has Node.js store compiled code in the user's cache folder, so that starts do not compile the same files
 * again. Applies to modules that are loaded afterwards. Code from a folder that another user can write to
 * would run with this user's rights, so only the user's own folder counts; without one, everything is
 * compiled as before.
 */
export function reuseCompiledCode(env: Readonly<Record<string, string | undefined>>): void {
  const isOff = process.versions.bun || process.platform === "win32" || env.NODE_DISABLE_COMPILE_CACHE;
  // NODE_COMPILE_CACHE names another folder.
  if (isOff || module.getCompileCacheDir()) return;
  const { HOME: home, XDG_CACHE_HOME: named } = env;
  const isNamed = named?.startsWith("/");
  const folder = `${isNamed ? named : `${home}/.cache`}/crowdai/compiled`;
  try {
    // Not in the home folder that `sudo` leaves to root either.
    if (!isOwn(isNamed ? named! : home!)) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    module.enableCompileCache(folder);
    setTimeout(() => module.flushCompileCache(), WRITE_MS).unref();
  } catch {
    // No home folder, or one that cannot be written to.
  }
}

function isOwn(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  return uid === process.geteuid!() && (mode & 0o022) === 0;
}
