import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError, type ErrorCode } from "@crowdai/shared";

/** What comes by itself, when all machines start at once. A wrong password or name does not. */
const AWAY = new Set<ErrorCode>(["records_unreachable", "store_unreachable"]);
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1000;

/** Starts something, and tries again for a minute while the services it needs are not there; says so once for each. */
export async function patiently<T>(start: () => Promise<T>, stderr: Writable): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  let told: ErrorCode | null = null;
  for (;;)
    try {
      return await start();
    } catch (error) {
      const code = error instanceof CrowdaiError ? error.code : null;
      if (code === null || !AWAY.has(code) || performance.now() > until) throw error;
      if (code !== told) stderr.write(`${(error as Error).message} Waiting for up to a minute …\n`);
      told = code;
      await sleep(PAUSE_MS);
    }
}
