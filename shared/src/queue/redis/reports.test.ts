import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { numberOf, reportOf } from "../contract/samples.ts";
import { until } from "../contract/wait-until.ts";
import { staged } from "./testing/redis-stage.ts";

describe.skipIf(withoutService("redis"))("reports on Redis", () => {
  it.concurrent(
    "are applied by one broker at a time, so that those of a job stay in order",
    staged(async (stage) => {
      const [a, b] = [await stage.queue(), await stage.queue()];
      const runningJobs = new Set<string>();
      let overlaps = 0;
      const applied = new Map<string, number[]>();
      const apply = async (report: ReturnType<typeof reportOf>) => {
        if (runningJobs.has(report.submission)) overlaps++;
        runningJobs.add(report.submission);
        await sleep(Math.random() * 5);
        runningJobs.delete(report.submission);
        applied.set(report.submission, [...(applied.get(report.submission) ?? []), numberOf(report)]);
      };
      stage.receive(a, apply);
      stage.receive(b, apply);
      const ids = Array.from({ length: 20 }, (_, i) => `s${i}`);
      for (let n = 0; n < 5; n++)
        await Promise.all(ids.map((id, i) => (i % 2 ? a : b).report(reportOf(id, n))));
      await until(() => [...applied.values()].flat().length >= 100);
      expect(overlaps).toBe(0);
      for (const id of ids) expect(applied.get(id)).toEqual([0, 1, 2, 3, 4]);
      await until(async () => (await stage.admin.xlen(stage.key("reports"))) === 0);
    }),
  );

  it.concurrent(
    "are taken over from a dead broker",
    staged(async (stage) => {
      const queue = await stage.queue();
      // A broker that died while it had the lease.
      await stage.admin.set(stage.key("reader"), "a dead broker", "PX", 2000);
      await queue.report(reportOf("s", 1));
      const receiver = stage.receive(queue);
      await sleep(1000);
      expect(receiver.applied()).toEqual([]);
      await until(() => receiver.applied().length === 1);
    }),
  );

  it.concurrent(
    "go to another broker when one cannot write to the records",
    staged(async (stage) => {
      const [a, b] = [await stage.queue(), await stage.queue()];
      const broken = stage.receive(a, async () => {
        throw new Error("no database");
      });
      await a.report(reportOf("s", 1));
      await until(() => broken.tried() > 0);
      const healthy = stage.receive(b);
      await until(() => healthy.applied().length === 1);
    }),
  );

  it.concurrent(
    "are read by the same reader after a flush",
    staged(async (stage) => {
      const queue = await stage.queue();
      const receiver = stage.receive(queue);
      await queue.report(reportOf("s", 1));
      await until(() => receiver.applied().length === 1);
      await stage.admin.flushall();
      await queue.report(reportOf("s", 2));
      await until(() => receiver.applied().length === 2);
    }),
  );

  it.concurrent(
    "that are invalid are discarded, and block nothing",
    staged(async (stage) => {
      const queue = await stage.queue();
      const receiver = stage.receive(queue);
      await stage.admin.xadd(stage.key("reports"), "*", "s", "s", "r", "{not json");
      await queue.report(reportOf("s", 1));
      await until(() => receiver.applied().length === 1);
      await until(async () => (await stage.admin.xlen(stage.key("reports"))) === 0);
      expect(stage.logged).toContain("invalid report discarded");
    }),
  );
});
