import { CrowdaiError } from "../../protocol/errors.ts";
import type { QueueLog } from "./queue-log.ts";
import type { Client } from "./reconnecting-connection.ts";
import { INFO } from "./recovery-scripts.ts";
import { runScript } from "./script.ts";

const OLDEST = [6, 2] as const;

/**
 * Throws redis_unfit when this Redis would lose jobs: one that may evict keys, or that is older than what the queue uses. Where
 * it is not allowed to ask, it says so in the log and goes on.
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
      {},
      "Redis does not tell its version and eviction policy; the queue needs 6.2 or later, and noeviction",
    );
  if (version !== undefined && isOlder(version))
    throw new CrowdaiError(
      "redis_unfit",
      `This is Redis ${version}; the queue needs ${OLDEST.join(".")} or later.`,
      {
        next: "Use Redis 6.2 or later, or Valkey.",
      },
    );
  if (policy !== undefined && policy !== "noeviction")
    throw new CrowdaiError(
      "redis_unfit",
      `This Redis throws away keys when its memory is full (maxmemory-policy ${policy}): waiting jobs among them.`,
      { next: "Set maxmemory-policy to noeviction, or use a Redis of its own for crowdAI." },
    );
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}
