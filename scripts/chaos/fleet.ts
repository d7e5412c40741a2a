import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import { connectionsTo } from "../../shared/src/queue/redis/redis-url.ts";
import { root } from "../lib/root.ts";
import { withoutBrokerSettings } from "../lib/running-broker.ts";
import { type Daemon, freePorts, startDaemon } from "../services/daemon.ts";
import { startPostgres } from "../services/postgres.ts";
import { findProgram } from "../services/programs.ts";
import { startRedis } from "../services/redis.ts";
import { type RedisWithSentinel, startRedisWithSentinel } from "../services/sentinel.ts";
import type { Service } from "../services/service.ts";
import { SWIFT_ACCESS_KEY, SWIFT_REGION, SWIFT_SECRET_KEY, startSwift } from "../services/swift.ts";
import { type Balancer, startBalancer } from "./balancer.ts";
import type { Condition } from "./conditions.ts";
import type { Part } from "./fault-plan.ts";
import { type OddGrader, oddGraders } from "./odd-graders.ts";
import type { OlderRelease } from "./older-release.ts";

export interface FleetOptions {
  folder: string;
  challenges: string;
  brokers: number;
  graders: number;
  records: "postgres" | "sqlite";
  s3: boolean;
  /** The runtime of brokers and graders: Node.js or Bun. */
  runtime: string;
  conditions?: ReadonlySet<Condition>;
  /** Brokers and graders begin as these, but not the graders with something wrong. */
  olderRelease?: OlderRelease | null;
  /** More settings of brokers and graders. */
  env?: Record<string, string>;
}

/** A broker's message when it is older than the records. */
export const OLDER_THAN_RECORDS = /written by a newer version of the broker/;

const CLOCK_OFFSET = "scripts/chaos/clock-offset.mjs";
const HOUR_AHEAD = String(3_600_000);

/** Brokers, graders and what they stand on, as processes on loopback. All die with this process. */
export interface Fleet {
  readonly broker: readonly Daemon[];
  readonly grader: readonly Daemon[];
  /** The grader whose disk can be filled, and its path as that grader sees it; null without such a grader. */
  readonly smallDisk: { grader: number; folder: string } | null;
  readonly redis: readonly Service[];
  readonly postgres: readonly Service[];
  readonly swift: readonly Service[];
  /** Addresses of each broker, and of the balancer before them. */
  readonly brokerUrls: readonly string[];
  /** Shares connections out among the brokers. */
  readonly balancer: Balancer;
  /** Breaks every connection of a client: to a broker, and to the object store. */
  cutClients(outageMs?: number): void;
  readonly databaseUrl: string | undefined;
  /** Of brokers and graders, and for commands about the same data. */
  readonly env: NodeJS.ProcessEnv;
  /** Data folder of the first broker. */
  readonly data: string;
  /**
   * Adds a participant with the first broker's program, whose release may be older, and returns the API key.
   */
  addParticipant(name: string): Promise<string>;
  /** Lets the broker or grader be the newer release from its next start on. */
  upgrade(part: Part, index: number): void;
  /** The server that is the master: with Sentinel, one of two. */
  redisMaster(): Promise<Service>;
  /** Sends one command to Redis, over a connection of its own. Resolves with the reply. */
  redisCommand(name: string, ...args: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { folder, challenges, runtime } = options;
  await mkdir(folder, { recursive: true });
  const { conditions = new Set<Condition>() } = options;
  const [redis, postgres, swift] = await Promise.all([
    startRedisServers(join(folder, "redis"), conditions),
    options.records === "postgres" ? startPostgres({ folder: join(folder, "postgres") }) : null,
    options.s3 ? startSwift({ folder: join(folder, "swift") }) : null,
  ]);
  // Clients send their bytes to where brokers and graders reach the store, so that this wire can be cut as
  // well.
  const store = swift && (await startBalancer([swift.port]));
  const env = {
    LOG_LEVEL: "info",
    // Graders leave files here when they are killed for the last time.
    TMPDIR: folder,
    ...options.env,
    REDIS_URL: redis.url,
    ...(postgres ? { DATABASE_URL: postgres.url } : {}),
    ...(store
      ? {
          S3_ENDPOINT: store.url,
          S3_BUCKET: "crowdai",
          S3_REGION: SWIFT_REGION,
          AWS_ACCESS_KEY_ID: SWIFT_ACCESS_KEY,
          AWS_SECRET_ACCESS_KEY: SWIFT_SECRET_KEY,
        }
      : {}),
  };
  const older = new Set<string>();
  if (options.olderRelease)
    for (const [part, count] of [
      ["broker", options.brokers],
      ["grader", options.graders],
    ] as const)
      for (let index = 0; index < count; index++) older.add(`${part} ${index}`);
  const programOf = (part: "broker" | "grader", index: number) =>
    older.has(`${part} ${index}`) ? options.olderRelease![part] : join(root, part, "dist/bin.js");
  const dataOf = (index: number) => join(folder, `broker-${index + 1}`);
  const port = await freePorts(options.brokers);
  const ports = Array.from({ length: options.brokers }, (_, index) => port + index);
  const processOf = (
    name: string,
    argv: () => readonly string[],
    ready: () => Promise<boolean>,
    odd: Partial<OddGrader> = {},
  ) => {
    const settings = environment({ ...withoutBrokerSettings(), ...env, ...odd.env });
    const clock = odd.env?.CHAOS_CLOCK_OFFSET_MS ? preload(runtime) : [];
    return startDaemon({
      name,
      folder: join(folder, "logs"),
      argv: () => ["env", "-i", ...settings, ...(odd.prefix ?? []), runtime, ...clock, ...argv()],
      ready,
      hopeless: OLDER_THAN_RECORDS,
    });
  };
  const broker = await Promise.all(
    ports.map((at, index) =>
      processOf(
        `broker-${index + 1}`,
        () => [
          programOf("broker", index),
          "start",
          ...["--host", "127.0.0.1", "--port", String(at)],
          ...["--data", dataOf(index), "--challenges", challenges],
        ],
        () => answers(`http://127.0.0.1:${at}/healthz`),
        conditions.has("broker-clock") && index === 1 ? { env: { CHAOS_CLOCK_OFFSET_MS: HOUR_AHEAD } } : {},
      ),
    ),
  );
  const odd = oddGraders(conditions, join(folder, "graders"));
  const grader = await Promise.all(
    [...Array<undefined>(options.graders), ...odd].map((one, index) =>
      processOf(
        `grader-${one?.name ?? index + 1}`,
        () => [
          programOf("grader", index),
          "start",
          ...["--data", dataOf(0), "--challenges", challenges, "--concurrency", "2"],
        ],
        async () => true,
        one,
      ),
    ),
  );
  const balancer = await startBalancer(ports);
  const brokerProxies = await Promise.all(ports.map((at) => startBalancer([at])));
  const cuttable = [balancer, ...brokerProxies, ...(store ? [store] : [])];
  return {
    broker,
    grader,
    smallDisk: smallDiskOf(odd, options.graders),
    redis: redis.servers,
    async addParticipant(name) {
      const argv = [programOf("broker", 0), "participant", "add", name, "--data", dataOf(0)];
      const { stdout } = await promisify(execFile)(runtime, argv, {
        env: { ...withoutBrokerSettings(), ...env },
      });
      return /crowdai_\w+/.exec(stdout)![0];
    },
    upgrade: (part, index) => void older.delete(`${part} ${index}`),
    redisMaster: () => redis.master(),
    postgres: postgres ? [postgres] : [],
    swift: swift ? [swift] : [],
    brokerUrls: [...brokerProxies, balancer].map(({ url }) => url),
    balancer,
    databaseUrl: postgres?.url,
    env: { ...withoutBrokerSettings(), ...env },
    data: dataOf(0),
    cutClients(outageMs) {
      for (const wire of cuttable) wire.cut(outageMs);
    },
    async redisCommand(name, ...args) {
      const client = connectionsTo(redis.url).connect() as Redis;
      client.on("error", () => {});
      try {
        await client.connect();
        return await client.call(name, ...args);
      } finally {
        client.disconnect();
      }
    },
    async stop() {
      await Promise.all([balancer, ...brokerProxies].map((one) => one.close()));
      await Promise.all([...broker, ...grader].map((one) => one.stop()));
      await store?.close();
      await Promise.all([redis, postgres, swift].map((one) => one?.stop()));
    },
  };
}

async function startRedisServers(
  folder: string,
  conditions: ReadonlySet<Condition>,
): Promise<RedisWithSentinel> {
  const program = conditions.has("valkey") ? (findProgram("valkey-server") ?? undefined) : undefined;
  if (conditions.has("sentinel")) return startRedisWithSentinel(folder, program);
  const server = await startRedis({ folder, program });
  return { url: server.url, servers: [server], master: async () => server, stop: server.stop };
}

function smallDiskOf(odd: readonly OddGrader[], before: number): Fleet["smallDisk"] {
  const index = odd.findIndex(({ smallDisk }) => smallDisk !== undefined);
  return index === -1 ? null : { grader: before + index, folder: odd[index]!.smallDisk! };
}

/** Arguments that give a process another clock. */
function preload(runtime: string): string[] {
  return [basename(runtime).startsWith("bun") ? "--preload" : "--import", join(root, CLOCK_OFFSET)];
}

const environment = (env: NodeJS.ProcessEnv) =>
  Object.entries(env).map(([name, value]) => `${name}=${value ?? ""}`);

/**
 * Waits for an answer as long as a broker that is up may take for it on a busy machine: one that seems not to
 * start is killed.
 */
async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  await response.body?.cancel();
  return response.ok;
}
