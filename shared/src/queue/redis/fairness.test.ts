import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { jobOf } from "../contract/samples.ts";
import type { Grader } from "../contract/test-grader.ts";
import { until } from "../contract/wait-until.ts";
import type { JobQueue } from "../job-queue.ts";
import { KEEPS_ALL, type RedisStage, staged } from "./testing/redis-stage.ts";

const FAST = { leaseMs: 1000 };
const named = (key: string, count: number) => Array.from({ length: count }, (_, i) => `${key}${i + 1}`);
const publish = (queue: JobQueue, key: string, ids: readonly string[]) =>
  Promise.all(ids.map((id) => queue.publish(jobOf(id, { fair_key: key }))));

async function isEmpty({ admin, key }: RedisStage): Promise<void> {
  await until(async () => (await admin.hlen(key("index"))) === 0);
  for (const left of ["waiting", "waiting:iris", "waiting:iris:a"])
    expect(await admin.exists(key(left))).toBe(0);
  expect(await admin.xlen(key("jobs:iris"))).toBe(0);
}

describe.skipIf(withoutService("redis"))("the fair order on Redis", () => {
  it.concurrent(
    "holds for jobs of several brokers and graders of several machines",
    staged(async (stage) => {
      const brokers = [await stage.queue(), await stage.queue(), await stage.queue()];
      const graders: Grader[] = [];
      for (const grader of ["x", "y", "z"])
        graders.push(stage.attach(await stage.queue(), { grader, concurrency: 2 }));
      await Promise.all(brokers.map((broker, i) => publish(broker, "a", named(`a${i}-`, 400))));
      const held = [];
      for (const grader of [...graders, ...graders]) held.push({ grader, taken: await grader.next() });
      await Promise.all(brokers.map((broker, i) => publish(broker, `b${i}`, [`b${i}`])));
      const next = [];
      for (const { grader, taken } of held) {
        taken.acknowledge();
        next.push(await grader.next());
      }
      expect(next.map(({ id }) => id)).toEqual(expect.arrayContaining(["b0", "b1", "b2"]));
      for (const grader of graders) grader.onTake((taken) => taken.acknowledge());
      for (const taken of next) taken.acknowledge();
      const seen = () => graders.flatMap((grader) => grader.seen());
      await until(() => seen().length === 1203);
      expect(new Set(seen()).size).toBe(1203);
      await isEmpty(stage);
    }),
  );

  it.concurrent(
    "begins after the jobs that an older version left in the stream",
    staged(async (stage) => {
      const queue = await stage.queue();
      for (const id of named("old", 20)) {
        const job = JSON.stringify(jobOf(id));
        const entry = await stage.admin.xadd(stage.key("jobs:iris"), "*", "s", id, "a", "1", "j", job);
        await stage.admin.hset(stage.key("index"), id, `1 ${entry} - 0 iris`);
      }
      await publish(queue, "a", named("a", 30));
      await publish(queue, "b", ["b1"]);
      const grader = stage.attach(queue);
      for (let i = 0; i < 22; i++) (await grader.next()).acknowledge();
      expect(grader.seen().slice(0, 20)).toEqual(named("old", 20));
      expect(grader.seen().slice(20)).toContain("b1");
      grader.onTake((taken) => taken.acknowledge());
      await until(() => grader.seen().length === 51);
    }),
  );

  it.concurrent(
    "gives way to the stream's while a grader of an older version is attached, which reads nothing else",
    staged(async (stage) => {
      const queue = await stage.queue();
      await publish(queue, "a", named("a", 3));
      expect(await stage.admin.xlen(stage.key("jobs:iris"))).toBe(1);
      const about = JSON.stringify({ grader: "old", challenges: ["iris"], concurrency: 1 });
      await stage.admin.hset(stage.key("graders"), "old:1", `${Date.now() + 60_000} ${about}`);
      await publish(queue, "b", ["b1"]);
      expect(await stage.admin.xlen(stage.key("jobs:iris"))).toBe(4);
    }),
  );

  it.concurrent(
    "keeps an entry in the stream for the next grader while jobs wait",
    staged(async (stage) => {
      const queue = await stage.queue();
      const entries = () => stage.admin.xlen(stage.key("jobs:iris"));
      await publish(queue, "a", named("a", 4));
      await queue.cancel("a1");
      expect(await entries()).toBe(1);
      const grader = stage.attach(queue);
      expect((await grader.next()).id).toBe("a2");
      // The one that is running, and the next.
      expect(await entries()).toBe(2);
    }),
  );

  it.concurrent(
    "wakes a grader for waiting jobs when the one that was woken for them is gone",
    staged(async (stage) => {
      const queue = await stage.queue(FAST);
      stage.recover(queue, { republish: async () => {}, restart: async () => {} });
      await publish(queue, "a", named("a", 3));
      const stream = stage.key("jobs:iris");
      await stage.admin.xgroup("CREATE", stream, "graders", "0");
      await stage.admin.xreadgroup("GROUP", "graders", "gone", "COUNT", 1, "STREAMS", stream, ">");
      expect(await stage.admin.xlen(stream)).toBe(1);
      await until(async () => (await stage.admin.xlen(stream)) === 2);
    }),
  );

  it.concurrent(
    "survives a restart of Redis: jobs that still wait are known, and delivered once",
    staged(async (stage) => {
      const queue = await stage.queue(FAST);
      const waiting = [...named("a", 5), "b1"];
      let rebuilt = 0;
      stage.recover(queue, {
        async republish() {
          for (const id of waiting) await queue.publish(jobOf(id, { fair_key: id.slice(0, 1) }));
        },
        async restart(_reason, known) {
          if (rebuilt++ > 0) expect([...(await known(waiting))].sort()).toEqual(waiting.sort());
        },
      });
      await until(() => rebuilt === 1);
      await stage.redis.kill("SIGKILL");
      await stage.redis.restart();
      await until(() => rebuilt === 2);
      const grader = stage.attach(queue, { handle: async () => {} });
      await until(() => grader.seen().length === 6);
      expect(grader.seen()).toEqual(["a1", "b1", "a2", "a3", "a4", "a5"]);
      await isEmpty(stage);
    }, KEEPS_ALL),
  );

  it.concurrent(
    "leaves a job with its grader that is republished to the end of a lost queue",
    staged(async (stage) => {
      const queue = await stage.queue(FAST);
      await publish(queue, "a", ["a1", "held", "a2"]);
      const holder = stage.attach(queue, { grader: "holder", concurrency: 2 });
      (await holder.next()).acknowledge();
      const held = await holder.next();
      expect(held.id).toBe("held");
      await holder.next();
      await stage.admin.flushall();
      await publish(queue, "a", ["a1", "held", "a2"]);
      // Heartbeats of the holder find its jobs, before another grader could take them.
      await sleep(800);
      const other = stage.attach(await stage.queue(FAST), { grader: "other", handle: async () => {} });
      await until(() => other.seen().includes("a1"));
      await publish(queue, "a", ["after"]);
      await until(() => other.seen().includes("after"));
      // Several heartbeats.
      await sleep(800);
      expect(other.seen()).not.toContain("held");
      expect(held.delivery.signal.aborted).toBe(false);
    }),
  );
});
