import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { root } from "../lib/root.ts";
import { withoutBrokerSettings } from "../lib/running-broker.ts";
import { type Daemon, freePorts, startDaemon } from "../services/daemon.ts";
import { startPostgres } from "../services/postgres.ts";
import { startRedis } from "../services/redis.ts";
import type { Service } from "../services/service.ts";
import { SWIFT_ACCESS_KEY, SWIFT_REGION, SWIFT_SECRET_KEY, startSwift } from "../services/swift.ts";
import { type Balancer, startBalancer } from "./balancer.ts";

export interface FleetOptions {
  folder: string;
  challenges: string;
  brokers: number;
  graders: number;
  records: "postgres" | "sqlite";
  s3: boolean;
  /** What runs brokers and graders: Node.js or Bun. */
  runtime: string;
}

/** Brokers, graders and what they stand on, as processes on loopback. All die with this process. */
export interface Fleet {
  readonly broker: readonly Daemon[];
  readonly grader: readonly Daemon[];
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
  /** Data folder of the first broker. */
  readonly data: string;
  /** Sends one command to Redis, over a connection of its own. */
  redisCommand(name: string, ...args: string[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { folder, challenges, runtime } = options;
  await mkdir(folder, { recursive: true });
  const [redis, postgres, swift] = await Promise.all([
    startRedis({ folder: join(folder, "redis") }),
    options.records === "postgres" ? startPostgres({ folder: join(folder, "postgres") }) : null,
    options.s3 ? startSwift({ folder: join(folder, "swift") }) : null,
  ]);
  // Clients send their bytes to where brokers and graders reach the store, so that this wire can be cut as well.
  const store = swift && (await startBalancer([swift.port]));
  const env = {
    LOG_LEVEL: "info",
    // What graders leave when they are killed for the last time.
    TMPDIR: folder,
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
  const dataOf = (index: number) => join(folder, `broker-${index + 1}`);
  const port = await freePorts(options.brokers);
  const ports = Array.from({ length: options.brokers }, (_, index) => port + index);
  const processOf = (name: string, argv: [string, ...string[]], ready: () => Promise<boolean>) =>
    startDaemon({
      name,
      folder: join(folder, "logs"),
      argv: ["env", "-i", ...environment({ ...withoutBrokerSettings(), ...env }), runtime, ...argv],
      ready,
    });
  const broker = await Promise.all(
    ports.map((at, index) =>
      processOf(
        `broker-${index + 1}`,
        [
          join(root, "broker/dist/bin.js"),
          "start",
          ...["--host", "127.0.0.1", "--port", String(at)],
          ...["--data", dataOf(index), "--challenges", challenges],
        ],
        () => answers(`http://127.0.0.1:${at}/healthz`),
      ),
    ),
  );
  const grader = await Promise.all(
    Array.from({ length: options.graders }, (_, index) =>
      processOf(
        `grader-${index + 1}`,
        [
          join(root, "grader/dist/bin.js"),
          "start",
          ...["--data", dataOf(0), "--challenges", challenges, "--concurrency", "2"],
        ],
        async () => true,
      ),
    ),
  );
  const balancer = await startBalancer(ports);
  const brokerProxies = await Promise.all(ports.map((at) => startBalancer([at])));
  const cuttable = [balancer, ...brokerProxies, ...(store ? [store] : [])];
  return {
    broker,
    grader,
    redis: [redis],
    postgres: postgres ? [postgres] : [],
    swift: swift ? [swift] : [],
    brokerUrls: [...brokerProxies, balancer].map(({ url }) => url),
    balancer,
    databaseUrl: postgres?.url,
    data: dataOf(0),
    cutClients(outageMs) {
      for (const wire of cuttable) wire.cut(outageMs);
    },
    async redisCommand(name, ...args) {
      const client = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null });
      client.on("error", () => {});
      try {
        await client.connect();
        await client.call(name, ...args);
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

const environment = (env: NodeJS.ProcessEnv) =>
  Object.entries(env).map(([name, value]) => `${name}=${value ?? ""}`);

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
  await response.body?.cancel();
  return response.ok;
}
