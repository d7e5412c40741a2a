import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";

/** A sync that is alive touches its lock more often than this. */
const STALE_MS = 60_000;
const TOUCH_MS = 10_000;

export interface SyncLock {
  /**
   * Whether the folder could be written; without that there is no lock, and the ids alone keep submissions
   * single.
   */
  held: boolean;
  release(): Promise<void>;
}

/**
 * Makes this the only sync of a folder. Each submission is accepted once in any case: the lock saves the work
 * of sending it twice. Throws spool_busy.
 */
export async function lockSpool(folder: string): Promise<SyncLock> {
  const path = join(folder, ".sync.lock");
  const owner = `${hostname()} ${process.pid} ${Math.random()}`;
  for (let attempt = 0; ; attempt++)
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(owner).finally(() => file.close());
      break;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nothing can be marked there either.
      if (code === "EACCES" || code === "EPERM" || code === "EROFS")
        return { held: false, release: async () => {} };
      if (code !== "EEXIST") throw error;
      if (attempt > 3 || (await isAlive(path)))
        throw new CrowdaiError("spool_busy", `Another sync is working on ${folder}.`, {
          details: { folder },
        });
      await rm(path, { force: true });
    }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, TOUCH_MS).unref();
  return {
    held: true,
    async release() {
      clearInterval(timer);
      const current = await readFile(path, "utf8").catch(() => null);
      if (current === owner) await rm(path, { force: true });
    },
  };
}

async function isAlive(path: string): Promise<boolean> {
  const [text, state] = await Promise.all([
    readFile(path, "utf8").catch(() => ""),
    stat(path).catch(() => null),
  ]);
  if (!state || Math.abs(Date.now() - state.mtimeMs) > STALE_MS) return false;
  const [host, pid] = text.split(" ");
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
