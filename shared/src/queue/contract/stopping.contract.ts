import { describe, expect, it } from "vitest";
import type { Delivery } from "../job-queue.ts";
import type { Stage } from "./queue-stage.ts";
import { jobOf } from "./samples.ts";
import { until } from "./wait-until.ts";

export function stoppingContract(stage: Stage): void {
  describe("attached graders", () => {
    it("are listed with their challenges and problems, until they stop", async () => {
      expect(await stage.queue.attached()).toEqual([]);
      stage.attach({ grader: "a", challenges: () => ["iris", "digits"], concurrency: 4 });
      const b = stage.attach({ grader: "b", problem: () => "The disk is full." });
      await until(async () => (await stage.queue.attached()).length === 2);
      const byName = (await stage.queue.attached()).sort((x, y) => (x.grader < y.grader ? -1 : 1));
      expect(byName).toEqual([
        { grader: "a", challenges: ["iris", "digits"], concurrency: 4 },
        { grader: "b", challenges: ["iris"], concurrency: 1, problem: "The disk is full." },
      ]);
      await b.stop();
      await until(async () => (await stage.queue.attached()).length === 1);
      expect((await stage.queue.attached())[0]?.grader).toBe("a");
    });
  });

  describe("stopping", () => {
    it("takes no more jobs, lets running ones continue, and ends when they are done", async () => {
      const grader = stage.attach({ concurrency: 2 });
      await stage.queue.publish(jobOf("in-hand"));
      const taken = await grader.next();
      let ended = false;
      const consuming = grader.abort().then(() => {
        ended = true;
      });
      await stage.queue.publish(jobOf("later"));
      expect(taken.delivery.signal.aborted).toBe(false);
      expect(ended).toBe(false);
      taken.acknowledge();
      await consuming;
      expect(grader.seen()).toEqual(["in-hand"]);
      expect((await stage.attach({ grader: "heir" }).next()).id).toBe("later");
    });

    it("leaves jobs returned while stopping to the next grader", async () => {
      const grader = stage.attach();
      await stage.queue.publish(jobOf("unfinished"));
      await stage.queue.publish(jobOf("behind"));
      const taken = await grader.next();
      const consuming = grader.abort();
      taken.returnToQueue();
      await consuming;
      const heir = stage.attach({ grader: "heir" });
      const again = await heir.next();
      expect([again.id, again.delivery.delivery]).toEqual(["unfinished", 2]);
    });

    it("ends immediately for a grader whose signal was aborted before the start", async () => {
      await stage.queue.publish(jobOf("job"));
      const signal = AbortSignal.abort();
      const calls: Delivery[] = [];
      await stage.queue.consume(
        { grader: "late", challenges: () => ["iris"], concurrency: 1, signal },
        async (delivery) => {
          calls.push(delivery);
        },
      );
      expect(calls).toEqual([]);
    });

    it("ends idle graders and receivers when the queue is closed", async () => {
      const grader = stage.attach();
      const receiver = stage.receive();
      await until(async () => (await stage.queue.attached()).length === 1);
      await stage.queue.close();
      await grader.ended;
      await receiver.ended;
      await expect(stage.queue.publish(jobOf("too-late"))).rejects.toThrow();
    });
  });
}
