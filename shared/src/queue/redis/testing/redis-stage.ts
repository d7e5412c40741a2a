import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { startRedis } from "../../../../../scripts/services/redis.ts";
import type { Service } from "../../../../../scripts/services/service.ts";
import { startTcpProxy, type TcpProxy } from "../../../../../scripts/services/tcp-proxy.ts";
import { createTestGrader, type Grader, type Handle } from "../../contract/test-grader.ts";
import { createTestReceiver, type Receiver } from "../../contract/test-receiver.ts";
import type { Consumption, JobQueue, Recovery } from "../../job-queue.ts";
import { createRedisQueue, type RedisQueueOptions } from "../redis-queue.ts";
import { connectionsTo } from "../redis-url.ts";

const PROGRAM = fileURLToPath(new URL("./grader-process.ts", import.meta.url));

/** A Redis server for one test, with queues, graders and processes that are stopped after the test. */
export interface RedisStage {
  redis: Service;
  /** A client to read and damage the contents of Redis. */
  admin: Redis;
  prefix: string;
  /** Returns the full name of a key of the queue. */
  key(name: string): string;
  queue(options?: Partial<RedisQueueOptions> & { url?: string }): Promise<JobQueue>;
  attach(queue: JobQueue, options?: Partial<Consumption> & { handle?: Handle }): Grader;
  receive(queue: JobQueue, apply?: Parameters<typeof createTestReceiver>[1]): Receiver;
  recover(queue: JobQueue, recovery: Recovery): void;
  /** Opens a proxy to Redis that can fail, for the `url` of a queue. */
  wire(): Promise<TcpProxy & { url: string }>;
  startGrader(name: string): GraderProcess;
  /** The logged messages. */
  logged: string[];
  end(): Promise<void>;
}

export interface GraderProcess {
  process: ChildProcess;
  /** Resolves with the next line of its output. */
  says(): Promise<{ took?: string; lost?: string; delivery?: number }>;
}

/**
 * Arguments of a Redis that has everything after a kill: with "everysec" it may answer before it has written,
 * for as long as a slow disk syncs.
 */
export const KEEPS_ALL: readonly string[] = ["--appendfsync", "always"];

/** Wraps a test with its own stage, so that tests run in parallel. */
export function staged(
  test: (stage: RedisStage) => Promise<void>,
  args?: readonly string[],
): () => Promise<void> {
  return async () => {
    const stage = await createStage(args);
    try {
      await test(stage);
    } finally {
      await stage.end();
    }
  };
}

async function createStage(args: readonly string[] = []): Promise<RedisStage> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-queue-"));
  const redis = await startRedis({ folder, args });
  const admin = new Redis(redis.port, { lazyConnect: true, retryStrategy: () => 50 });
  admin.on("error", () => {});
  const prefix = randomUUID();
  const logged: string[] = [];
  const note = (_about: object, message: string) => void logged.push(message);
  const atEnd: (() => unknown)[] = [];

  return {
    redis,
    admin,
    prefix,
    logged,
    key: (name) => `{${prefix}}:${name}`,
    async queue({ url = redis.url, ...options } = {}) {
      const queue = await createRedisQueue({
        redis: connectionsTo(url).connect,
        prefix,
        log: { info: note, warn: note, error: note },
        ...options,
      });
      atEnd.unshift(() => queue.close());
      return queue;
    },
    attach(queue, options = {}) {
      const grader = createTestGrader(queue, options);
      atEnd.unshift(() => grader.stop());
      return grader;
    },
    receive(queue, apply) {
      const receiver = createTestReceiver(queue, apply);
      atEnd.unshift(() => receiver.stop());
      return receiver;
    },
    recover(queue, recovery) {
      const stop = new AbortController();
      const recovering = queue.recover(recovery, stop.signal);
      atEnd.unshift(() => {
        stop.abort();
        return recovering;
      });
    },
    async wire() {
      const wire = await startTcpProxy(redis.port);
      // Queues use it while they stop.
      atEnd.push(() => wire.close());
      return { ...wire, url: `redis://127.0.0.1:${wire.port}` };
    },
    startGrader(name) {
      const child = spawn(process.execPath, [PROGRAM, redis.url, prefix, name], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      atEnd.unshift(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill("SIGKILL");
        await once(child, "exit");
      });
      return { process: child, says: async () => JSON.parse((await lines.next()).value ?? "null") };
    },
    async end() {
      await redis.kill("SIGCONT");
      for (const finish of atEnd) await Promise.resolve(finish()).catch(() => {});
      admin.disconnect();
      await redis.stop();
      await rm(folder, { recursive: true });
    },
  };
}
