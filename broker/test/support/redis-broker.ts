import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobQueue } from "@crowdai/shared/queue";
import { connectionsTo, createRedisQueue } from "@crowdai/shared/queue/redis";
import { Redis } from "ioredis";
import { startRedis } from "../../../scripts/services/redis.ts";
import type { Report } from "../../../shared/src/index.ts";
import { createTestGrader, type Taken } from "../../../shared/src/queue/contract/test-grader.ts";
import { startBroker, type TestBroker } from "./test-broker.ts";

/** A broker with its queue on Redis, and graders whose jobs and reports the test controls. */
export interface RedisBroker {
  test: TestBroker;
  queue: JobQueue;
  /** The address of Redis. */
  url: string;
  /** Removes everything from Redis. */
  flush(): Promise<void>;
  attach(grader: string, concurrency?: number): ReturnType<typeof createTestGrader>;
  close(): Promise<void>;
}

export async function startRedisBroker(challenges: Record<string, unknown>[]): Promise<RedisBroker> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-redis-broker-"));
  const redis = await startRedis({ folder });
  const test = await startBroker({ withGrader: false, challenges, env: { REDIS_URL: redis.url } });
  const log = { info() {}, warn() {}, error() {} };
  const queue = await createRedisQueue({ redis: connectionsTo(redis.url).connect, log });
  const graders: ReturnType<typeof createTestGrader>[] = [];
  return {
    test,
    queue,
    url: redis.url,
    async flush() {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    },
    attach(grader, concurrency = 1) {
      const one = createTestGrader(queue, { grader, concurrency, challenges: () => ["test"] });
      graders.push(one);
      return one;
    },
    async close() {
      for (const one of graders) await one.stop();
      await queue.close();
      await test.close();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type ReportOf<T extends Report["type"]> = Extract<Report, { type: T }>;

/** The base of a grader's reports about one delivery. */
export const aboutOf = ({ id, delivery: { job, delivery } }: Taken, grader: string) => ({
  ...{ submission: id, attempt: job.attempt, delivery, grader },
});

export const finishedWith = (taken: Taken, grader: string, score: number): ReportOf<"finished"> => ({
  ...aboutOf(taken, grader),
  type: "finished",
  outcome: {
    ...{ ok: true, score, score_secondary: null, message: null, meta: {}, data: null },
    ...{ media: null, artifacts: [], evaluator_version: "1" },
  },
  organiser_log: "",
  seconds: 0.1,
});
