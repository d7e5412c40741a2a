import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectionsTo } from "@crowdai/shared/queue/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { startRedis } from "../../../scripts/services/redis.ts";
import { type CreateRateLimiter, rateLimiters } from "../../src/base/rate-limits.ts";

const LIMIT = { points: 3, seconds: 60 };

/** Consumes a point each time; returns how many were granted. */
async function granted(create: CreateRateLimiter, key: string, times: number): Promise<number> {
  const limiter = create("test", LIMIT);
  let count = 0;
  for (let n = 0; n < times; n++)
    await limiter.consume(key).then(
      () => count++,
      (refused) => expect(refused).not.toBeInstanceOf(Error),
    );
  return count;
}

describe("rate limiters", () => {
  it("limit each key in memory", async () => {
    const limiter = rateLimiters()("test", LIMIT);
    for (let n = 0; n < 3; n++) await limiter.consume("ada");
    await expect(limiter.consume("ada")).rejects.toMatchObject({ remainingPoints: 0 });
    await limiter.consume("bob");
  });

  describe.skipIf(withoutService("redis"))("on Redis", () => {
    async function start() {
      const folder = await mkdtemp(join(tmpdir(), "crowdai-limits-"));
      const redis = await startRedis({ folder });
      onTestFinished(async () => {
        await redis.stop();
        await rm(folder, { recursive: true, force: true });
      });
      return redis;
    }

    async function connect(url: string) {
      const client = connectionsTo(url).connectWithReconnect({ commandMs: 500 });
      client.on("error", () => {});
      onTestFinished(() => client.disconnect());
      if (client.status !== "ready") await new Promise((resolve) => client.once("ready", resolve));
      return rateLimiters(client);
    }

    it("share a limit between brokers", async () => {
      const redis = await start();
      const [first, second] = [await connect(redis.url), await connect(redis.url)];
      expect(await granted(first, "ada", 2)).toBe(2);
      expect(await granted(second, "ada", 2)).toBe(1);
      expect(await granted(first, "bob", 1)).toBe(1);
      expect((await second("test", LIMIT).get("ada"))?.consumedPoints).toBe(4);
    });

    it("go on in memory while Redis is unreachable", async () => {
      const redis = await start();
      const create = await connect(redis.url);
      expect(await granted(create, "ada", 1)).toBe(1);
      await redis.stop();
      expect(await granted(create, "ada", 5)).toBe(3);
    });
  });
});
