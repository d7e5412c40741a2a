import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { jobOf, numberOf, reportOf } from "../contract/samples.ts";
import { until } from "../contract/wait-until.ts";
import { KEEPS_ALL, type RedisStage, staged } from "./testing/redis-stage.ts";

const RECOVERY_MS = 5000;

describe.skipIf(withoutService("redis"))("when Redis or the network fails", () => {
  /** Returns the time until a job is delivered. */
  async function untilWorking(
    queue: Awaited<ReturnType<RedisStage["queue"]>>,
    seen: () => string[],
  ): Promise<number> {
    const began = performance.now();
    const id = `probe-${began}`;
    await until(() =>
      queue.publish(jobOf(id)).then(
        () => true,
        () => false,
      ),
    );
    await until(() => seen().includes(id));
    return performance.now() - began;
  }

  it.concurrent(
    "rejects a publish within seconds while Redis is frozen, and recovers afterwards",
    staged(async (stage) => {
      const queue = await stage.queue();
      const grader = stage.attach(queue, { handle: async () => {} });
      await untilWorking(queue, grader.seen);
      await stage.redis.kill("SIGSTOP");
      for (const _ of [1, 2, 3]) {
        const began = performance.now();
        await expect(queue.publish(jobOf("refused"))).rejects.toThrow(/Redis/);
        expect(performance.now() - began).toBeLessThan(allowedMs(4500));
      }
      await stage.redis.kill("SIGCONT");
      expect(await untilWorking(queue, grader.seen)).toBeLessThan(allowedMs(RECOVERY_MS));
    }),
  );

  it.concurrent(
    "rejects a publish immediately while Redis is down, and recovers with its data afterwards",
    staged(async (stage) => {
      const queue = await stage.queue();
      await queue.publish(jobOf("kept"));
      await stage.redis.kill("SIGKILL");
      for (const _ of [1, 2, 3]) {
        const began = performance.now();
        await expect(queue.publish(jobOf("refused"))).rejects.toThrow(/Redis|closed/);
        expect(performance.now() - began).toBeLessThan(allowedMs(2000));
      }
      expect(await queue.attached()).toEqual([]);
      const grader = stage.attach(queue, { handle: async () => {} });
      await stage.redis.restart();
      expect(await untilWorking(queue, grader.seen)).toBeLessThan(allowedMs(RECOVERY_MS));
      expect(grader.seen()).toContain("kept");
    }, KEEPS_ALL),
  );

  it.concurrent(
    "keeps a running job through an outage, and accepts its end",
    staged(async (stage) => {
      const queue = await stage.queue();
      const grader = stage.attach(queue);
      const other = stage.attach(await stage.queue(), { grader: "other" });
      await queue.publish(jobOf("long"));
      const holder = await Promise.race([grader.next(), other.next()]);
      await stage.redis.kill("SIGKILL");
      await sleep(2000);
      await stage.redis.restart();
      await until(async () => (await queue.attached().catch(() => [])).length === 2);
      expect(holder.delivery.signal.aborted).toBe(false);
      holder.acknowledge();
      await until(async () => (await stage.admin.xlen(stage.key("jobs:iris"))) === 0);
      expect([...grader.seen(), ...other.seen()]).toEqual(["long"]);
    }, KEEPS_ALL),
  );

  it.concurrent(
    "does not take the job of a healthy grader after Redis was frozen for longer than a lease",
    staged(async (stage) => {
      // Leases are long enough to be renewed by a process on a busy machine.
      const options = { leaseMs: 4000 };
      const queue = await stage.queue(options);
      const grader = stage.attach(queue);
      const other = stage.attach(await stage.queue(options), { grader: "other" });
      await queue.publish(jobOf("long"));
      const holder = await Promise.race([grader.next(), other.next()]);
      for (const freeze of [3000, 6000]) {
        await sleep(4500);
        await stage.redis.kill("SIGSTOP");
        await sleep(freeze);
        await stage.redis.kill("SIGCONT");
      }
      await sleep(6000);
      expect([...grader.seen(), ...other.seen()]).toEqual(["long"]);
      expect(holder.delivery.signal.aborted).toBe(false);
    }),
  );

  it.concurrent(
    "starts while Redis is unreachable, with a warning",
    staged(async (stage) => {
      await stage.redis.kill("SIGKILL");
      const queue = await stage.queue();
      expect(stage.logged.join()).toContain("Redis unreachable");
      await stage.redis.restart();
      await until(() =>
        queue.publish(jobOf("later")).then(
          () => true,
          () => false,
        ),
      );
    }),
  );

  it.concurrent(
    "keeps reports in order while Redis is unreachable",
    staged(async (stage) => {
      const queue = await stage.queue();
      // A consumer is needed, because a process without graders does not wait for long.
      stage.attach(queue);
      const receiver = stage.receive(queue);
      await queue.report(reportOf("s", 0));
      await stage.redis.kill("SIGKILL");
      const sent = [1, 2, 3].map((i) => queue.report(reportOf("s", i)));
      await sleep(500);
      await stage.redis.restart();
      await Promise.all(sent);
      await until(() => receiver.applied().length >= 4);
      expect([...new Set(receiver.applied().map(numberOf))]).toEqual([0, 1, 2, 3]);
    }, KEEPS_ALL),
  );

  describe("on the network", () => {
    it.concurrent(
      "recovers within seconds from silently dead connections",
      staged(async (stage) => {
        const wire = await stage.wire();
        const queue = await stage.queue({ url: wire.url });
        const grader = stage.attach(queue, { handle: async () => {} });
        await untilWorking(queue, grader.seen);
        wire.freeze();
        await sleep(1000);
        wire.thaw();
        expect(await untilWorking(queue, grader.seen)).toBeLessThan(allowedMs(RECOVERY_MS));
      }),
    );

    it.concurrent(
      "recovers from connections that are cut repeatedly",
      staged(async (stage) => {
        const wire = await stage.wire();
        const queue = await stage.queue({ url: wire.url });
        const grader = stage.attach(queue, { handle: async () => {}, concurrency: 4 });
        for (let i = 0; i < 10; i++) {
          const id = `job-${i}`;
          const published = until(() =>
            queue.publish(jobOf(id)).then(
              () => true,
              () => false,
            ),
          );
          if (i % 2) wire.cut();
          await published;
          wire.cut();
          await until(() => grader.seen().includes(id));
        }
        await until(async () => (await stage.admin.xlen(stage.key("jobs:iris"))) === 0);
      }),
    );

    it.concurrent(
      "soon delivers jobs again whose reply was lost",
      staged(async (stage) => {
        const outside = await stage.queue();
        const wire = await stage.wire();
        const queue = await stage.queue({ url: wire.url });
        const grader = stage.attach(queue, { handle: async () => {} });
        await until(async () => (await queue.attached()).length === 1);
        for (let i = 0; i < 5; i++) {
          wire.loseNextReply();
          await outside.publish(jobOf(`job-${i}`));
          const began = performance.now();
          await until(() => grader.seen().includes(`job-${i}`));
          expect(performance.now() - began).toBeLessThan(allowedMs(RECOVERY_MS));
        }
      }),
    );
  });
});
