import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { jobOf } from "../contract/samples.ts";
import { aborted, until } from "../contract/wait-until.ts";
import { staged } from "./testing/redis-stage.ts";

describe.skipIf(withoutService("redis"))("when a grader fails", () => {
  it.concurrent(
    "delivers the job of a killed one to another within ten seconds",
    staged(async (stage) => {
      const queue = await stage.queue();
      const doomed = stage.startGrader("doomed");
      await queue.publish(jobOf("job"));
      expect(await doomed.says()).toEqual({ took: "job", delivery: 1 });
      const heir = stage.attach(queue, { grader: "heir" });
      // Long enough for the first lease to have been renewed.
      await sleep(5000);
      doomed.process.kill("SIGKILL");
      const began = performance.now();
      const { id, delivery } = await heir.next();
      expect(performance.now() - began).toBeLessThan(allowedMs(10_000));
      expect([id, delivery.delivery]).toEqual(["job", 2]);
    }),
  );

  it.concurrent(
    "delivers the job of a frozen one to another within fifteen seconds, and ignores the first",
    staged(async (stage) => {
      const queue = await stage.queue();
      const frozen = stage.startGrader("frozen");
      await queue.publish(jobOf("job"));
      await frozen.says();
      const heir = stage.attach(queue, { grader: "heir" });
      await sleep(3000);
      frozen.process.kill("SIGSTOP");
      const began = performance.now();
      const { delivery, acknowledge } = await heir.next();
      expect(performance.now() - began).toBeLessThan(allowedMs(15_000));
      frozen.process.kill("SIGCONT");
      expect(await frozen.says()).toEqual({ lost: "job" });
      // Its handler resolved, but the job no longer belongs to it.
      await sleep(500);
      expect(delivery.signal.aborted).toBe(false);
      expect(await stage.admin.xlen(stage.key("jobs:iris"))).toBe(1);
      acknowledge();
      await until(async () => (await stage.admin.xlen(stage.key("jobs:iris"))) === 0);
    }),
  );

  it.concurrent(
    "delivers the job of one that stops gracefully to another within two seconds",
    staged(async (stage) => {
      const leaving = stage.attach(await stage.queue(), { grader: "leaving" });
      const queue = await stage.queue();
      await queue.publish(jobOf("job"));
      const taken = await leaving.next();
      const heir = stage.attach(queue, { grader: "heir" });
      await until(async () => (await queue.attached()).length === 2);
      const left = leaving.abort();
      const began = performance.now();
      taken.returnToQueue();
      expect((await heir.next()).delivery.delivery).toBe(2);
      expect(performance.now() - began).toBeLessThan(allowedMs(2000));
      await left;
    }),
  );

  it.concurrent(
    "keeps a long job with its grader for many leases, at its first delivery",
    staged(async (stage) => {
      const options = { leaseMs: 1000 };
      const queue = await stage.queue(options);
      const holder = stage.attach(queue, { grader: "holder" });
      await queue.publish(jobOf("long"));
      const taken = await holder.next();
      const idle = stage.attach(await stage.queue(options), { grader: "idle", concurrency: 4 });
      await sleep(8000);
      expect(idle.seen()).toEqual([]);
      expect(taken.delivery.signal.aborted).toBe(false);
      const [pending] = (await stage.admin.xpending(
        stage.key("jobs:iris"),
        "graders",
        "-",
        "+",
        10,
      )) as unknown[][];
      expect(pending?.[3]).toBe(1);
    }),
  );

  it.concurrent(
    "finds a dead grader's jobs behind many healthy ones",
    staged(async (stage) => {
      const options = { leaseMs: 1500 };
      const queue = await stage.queue(options);
      const busy = stage.attach(queue, { grader: "busy", concurrency: 200 });
      for (let i = 0; i < 200; i++) await queue.publish(jobOf(`healthy-${i}`));
      await until(() => busy.seen().length === 200);
      const doomed = stage.startGrader("doomed");
      await queue.publish(jobOf("orphan"));
      await doomed.says();
      doomed.process.kill("SIGKILL");
      const heir = stage.attach(await stage.queue(options), { grader: "heir" });
      expect((await heir.next()).id).toBe("orphan");
      expect(heir.seen()).toEqual(["orphan"]);
    }),
  );

  it.concurrent(
    "counts the deliveries of a job that kills its graders",
    staged(async (stage) => {
      const queue = await stage.queue({ leaseMs: 1000 });
      await queue.publish(jobOf("poison"));
      const first = stage.startGrader("first");
      expect(await first.says()).toEqual({ took: "poison", delivery: 1 });
      first.process.kill("SIGKILL");
      const second = stage.startGrader("second");
      expect(await second.says()).toEqual({ took: "poison", delivery: 2 });
      second.process.kill("SIGKILL");
      const third = stage.attach(queue, { grader: "third" });
      expect((await third.next()).delivery.delivery).toBe(3);
    }),
  );

  it.concurrent(
    "removes the consumers of dead graders without losing jobs",
    staged(async (stage) => {
      const queue = await stage.queue();
      const handle = async () => {};
      for (let i = 0; i < 60; i++) {
        const grader = stage.attach(queue, { grader: `grader-${i}`, handle });
        await queue.publish(jobOf(`job-${i}`));
        await until(() => grader.seen().length > 0);
        await grader.stop();
      }
      expect(await stage.admin.xinfo("CONSUMERS", stage.key("jobs:iris"), "graders")).toHaveLength(0);
      expect(await stage.admin.xlen(stage.key("jobs:iris"))).toBe(0);
      expect(await stage.admin.hlen(stage.key("index"))).toBe(0);
    }),
  );

  it.concurrent(
    "removes a killed grader's consumer only after its jobs were taken over",
    { timeout: 60_000 },
    staged(async (stage) => {
      const queue = await stage.queue();
      const doomed = stage.startGrader("doomed");
      await queue.publish(jobOf("job"));
      await doomed.says();
      doomed.process.kill("SIGKILL");
      const heir = stage.attach(queue, { grader: "heir" });
      const names = async () => {
        const consumers = (await stage.admin.xinfo(
          "CONSUMERS",
          stage.key("jobs:iris"),
          "graders",
        )) as string[][];
        return consumers.map((fields) => fields[1]!.split(":")[0]);
      };
      expect(await names()).toContain("doomed");
      const taken = await heir.next();
      while ((await names()).includes("doomed")) await sleep(200);
      taken.acknowledge();
      await until(async () => (await stage.admin.xlen(stage.key("jobs:iris"))) === 0);
    }),
  );

  it.concurrent(
    "never trims entries by number",
    staged(async (stage) => {
      const queue = await stage.queue();
      const count = 20_000;
      await Promise.all(Array.from({ length: count }, (_, i) => queue.publish(jobOf(`job-${i}`))));
      const seen = new Set<string>();
      stage.attach(queue, {
        concurrency: 32,
        handle: async ({ job, signal }) => {
          if (!signal.aborted) seen.add(job.submission);
        },
      });
      await until(() => seen.size === count);
      await until(async () => (await stage.admin.xlen(stage.key("jobs:iris"))) === 0);
    }),
  );

  it.concurrent(
    "informs a grader of a cancellation with its next heartbeat when it missed the message",
    staged(async (stage) => {
      const queue = await stage.queue({ leaseMs: 1000 });
      const grader = stage.attach(queue);
      await queue.publish(jobOf("job"));
      const taken = await grader.next();
      await stage.admin.call("CLIENT", "KILL", "TYPE", "pubsub");
      const id = (await stage.admin.xrange(stage.key("jobs:iris"), "-", "+"))[0]![0];
      await stage.admin
        .multi()
        .xack(stage.key("jobs:iris"), "graders", id)
        .xdel(stage.key("jobs:iris"), id)
        .hdel(stage.key("index"), "job")
        .exec();
      await aborted(taken.delivery.signal);
    }),
  );

  it.concurrent(
    "delivers each job once, even if it is published while others end",
    staged(async (stage) => {
      const queue = await stage.queue();
      const deliveries: number[] = [];
      stage.attach(queue, {
        concurrency: 8,
        async handle({ delivery }) {
          deliveries.push(delivery);
          await sleep(Math.random() * 3);
        },
      });
      // Many are published while the grader both waits for a job and settles others.
      for (let i = 0; i < 3000; i++) {
        void queue.publish(jobOf(`job-${i}`));
        if (Math.random() < 0.3) await sleep(Math.random() * 2);
      }
      await until(() => deliveries.length >= 3000);
      expect(deliveries.filter((delivery) => delivery !== 1)).toEqual([]);
    }),
  );
});
