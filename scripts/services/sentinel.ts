import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts, startDaemon } from "./daemon.ts";
import { requireProgram } from "./programs.ts";
import { startRedis } from "./redis.ts";
import type { Service } from "./service.ts";

const run = promisify(execFile);
const MASTER = "main";
/** After a server has not answered for so long, the other one becomes the master. */
const DOWN_AFTER_MS = 1000;

/** Two Redis servers, one the replica of the other, and the Sentinel that decides which is the master. */
export interface RedisWithSentinel {
  /** A REDIS_URL that names the Sentinel. */
  readonly url: string;
  readonly servers: readonly Service[];
  /** The server that Sentinel names as the master. */
  master(): Promise<Service>;
  stop(): Promise<void>;
}

export async function startRedisWithSentinel(folder: string, program?: string): Promise<RedisWithSentinel> {
  const sentinelPort = await freePorts(3);
  const [first, second] = [sentinelPort + 1, sentinelPort + 2];
  // Sentinel has each server write its role into its file, so that it keeps it after a restart.
  const server = (port: number, config: string) => {
    const own = join(folder, String(port));
    mkdirSync(own, { recursive: true });
    const file = join(own, "redis.conf");
    writeFileSync(file, config);
    return startRedis({ folder: own, port, config: file, program });
  };
  const servers = [await server(first, ""), await server(second, `replicaof 127.0.0.1 ${first}\n`)];
  const file = join(folder, "sentinel.conf");
  writeFileSync(
    file,
    `port ${sentinelPort}
bind 127.0.0.1
sentinel monitor ${MASTER} 127.0.0.1 ${first} 1
sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}
sentinel failover-timeout ${MASTER} ${3 * DOWN_AFTER_MS}
`,
  );
  const client = requireProgram("redis", "redis-cli");
  const ask = (what: string) => ["-p", String(sentinelPort), "sentinel", what, MASTER];
  const sentinel = await startDaemon({
    name: "sentinel",
    folder,
    argv: [program ?? requireProgram("redis", "redis-server"), file, "--sentinel"],
    ready: async () => (await run(client, ask("replicas"))).stdout.includes(`127.0.0.1:${second}`),
  });
  return {
    url: `redis+sentinel://127.0.0.1:${sentinelPort}/${MASTER}`,
    servers,
    async master() {
      const { stdout } = await run(client, ask("get-master-addr-by-name"));
      return servers.find(({ port }) => stdout.includes(String(port)))!;
    },
    async stop() {
      await sentinel.stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
