import { describe, expect, it } from "vitest";
import type { Stage } from "./queue-stage.ts";
import { jobOf } from "./samples.ts";
import { aborted } from "./wait-until.ts";

export function cancellingContract(stage: Stage): void {
  describe("publishing again", () => {
    it("is harmless while the same attempt is waiting", async () => {
      for (let i = 0; i < 5; i++) await stage.queue.publish(jobOf("same"));
      await stage.queue.publish(jobOf("after"));
      const grader = stage.attach();
      (await grader.next()).acknowledge();
      expect((await grader.next()).id).toBe("after");
    });

    it("is harmless while the same attempt is running", async () => {
      const grader = stage.attach({ concurrency: 2 });
      await stage.queue.publish(jobOf("same"));
      const held = await grader.next();
      await stage.queue.publish(jobOf("same"));
      await stage.queue.publish(jobOf("after"));
      expect((await grader.next()).id).toBe("after");
      expect(held.delivery.signal.aborted).toBe(false);
      held.acknowledge();
    });

    it("replaces an older attempt that is waiting", async () => {
      await stage.queue.publish(jobOf("job"));
      await stage.queue.publish(jobOf("job", { attempt: 2 }));
      await stage.queue.publish(jobOf("after"));
      const grader = stage.attach();
      const taken = await grader.next();
      expect([taken.id, taken.delivery.job.attempt, taken.delivery.delivery]).toEqual(["job", 2, 1]);
      taken.acknowledge();
      expect((await grader.next()).id).toBe("after");
    });

    it("aborts an older attempt that is running, and ignores its end", async () => {
      const grader = stage.attach({ concurrency: 2 });
      await stage.queue.publish(jobOf("job"));
      const old = await grader.next();
      await stage.queue.publish(jobOf("job", { attempt: 2 }));
      const newer = await grader.next();
      expect(newer.delivery.job.attempt).toBe(2);
      await aborted(old.delivery.signal);
      old.returnToQueue();
      await stage.queue.publish(jobOf("after"));
      expect((await grader.next()).id).toBe("after");
      expect(newer.delivery.signal.aborted).toBe(false);
    });

    it("ignores an attempt that is older than the known one", async () => {
      await stage.queue.publish(jobOf("job", { attempt: 3 }));
      await stage.queue.publish(jobOf("job", { attempt: 2 }));
      const grader = stage.attach();
      const taken = await grader.next();
      expect(taken.delivery.job.attempt).toBe(3);
      taken.acknowledge();
      await stage.queue.publish(jobOf("after"));
      expect((await grader.next()).id).toBe("after");
    });
  });

  describe("cancelling", () => {
    it("removes a waiting job", async () => {
      for (const id of ["first", "second", "third"]) await stage.queue.publish(jobOf(id));
      await stage.queue.cancel("second");
      const grader = stage.attach();
      (await grader.next()).acknowledge();
      expect((await grader.next()).id).toBe("third");
    });

    it("aborts the signal of a running job, and does not deliver it again", async () => {
      const grader = stage.attach();
      await stage.queue.publish(jobOf("held"));
      const held = await grader.next();
      await stage.queue.cancel("held");
      await aborted(held.delivery.signal);
      held.returnToQueue();
      await stage.queue.publish(jobOf("after"));
      expect((await grader.next()).id).toBe("after");
    });

    it("does not affect other jobs, and is harmless for an unknown one", async () => {
      const grader = stage.attach({ concurrency: 2 });
      await stage.queue.publish(jobOf("kept"));
      await stage.queue.publish(jobOf("gone"));
      const [kept, gone] = [await grader.next(), await grader.next()];
      await stage.queue.cancel("unknown");
      await stage.queue.cancel("gone");
      await aborted(gone.delivery.signal);
      expect(kept.delivery.signal.aborted).toBe(false);
    });

    it("allows a later attempt of the same submission", async () => {
      await stage.queue.publish(jobOf("job"));
      await stage.queue.cancel("job");
      await stage.queue.publish(jobOf("job", { attempt: 2 }));
      expect((await stage.attach().next()).delivery.job.attempt).toBe(2);
    });
  });
}
