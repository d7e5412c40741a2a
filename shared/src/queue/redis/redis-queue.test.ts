import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { startRedis } from "../../../../scripts/services/redis.ts";
import type { Service } from "../../../../scripts/services/service.ts";
import { queueContract } from "../contract/queue.contract.ts";
import { createRedisQueue } from "./redis-queue.ts";
import { connectionsTo } from "./redis-url.ts";

const log = { info() {}, warn() {}, error() {} };

describe.skipIf(withoutService("redis"))("Redis Streams", () => {
  let folder: string;
  let redis: Service;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-queue-"));
    redis = await startRedis({ folder });
  });
  afterAll(async () => {
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  queueContract("the queue on Redis", async () => {
    const queue = await createRedisQueue({
      redis: connectionsTo(redis.url).connect,
      prefix: randomUUID(),
      log,
    });
    return { queue, close: () => queue.close() };
  });
});
