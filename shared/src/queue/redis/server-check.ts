import { CrowdaiError } from "../../protocol/errors.ts";
import type { QueueLog } from "./queue-log.ts";
import type { Client } from "./reconnecting-connection.ts";
import { INFO } from "./recovery-scripts.ts";
import { runScript } from "./script.ts";

const MIN_VERSION = [6, 2] as const;

/**
 * Throws redis_unfit when this Redis server may evict keys or is too old. If INFO is not permitted, logs a
 * warning and continues.
 */
export async function checkServer(client: Client, base: string, log: QueueLog): Promise<void> {
  const texts = (await runScript(client, base, INFO)) as string[];
  const info = new Map(
    texts.flatMap((text) => text.split("\r\n")).map((line) => line.split(":", 2) as [string, string]),
  );
  const version = info.get("redis_version");
  const policy = info.get("maxmemory_policy");
  if (version === undefined || policy === undefined)
    log.warn(
      { event: "redis_check_skipped" },
      "Redis version and eviction policy unknown, 6.2 or newer and noeviction are required",
    );
  if (version !== undefined && isOlder(version))
    throw new CrowdaiError(
      "redis_unfit",
      `The server is Redis ${version}. The queue requires ${MIN_VERSION.join(".")} or newer.`,
    );
  if (policy !== undefined && policy !== "noeviction")
    throw new CrowdaiError(
      "redis_unfit",
      `Redis evicts keys, including waiting jobs, when its memory is full (maxmemory-policy ${policy}).`,
      { next: "Set maxmemory-policy to noeviction, or use a separate Redis server for crowdAI." },
    );
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1]);
}
