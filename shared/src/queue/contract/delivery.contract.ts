import { describe, expect, it } from "vitest";
import { parseExact, stringifyExact } from "../../protocol/exact-json.ts";
import type { Stage } from "./queue-stage.ts";
import { jobOf } from "./samples.ts";
import { until } from "./wait-until.ts";

export function deliveryContract(stage: Stage): void {
  describe("delivery", () => {
    it("delivers a job unchanged to a grader that serves its challenge", async () => {
      const grader = stage.attach();
      const job = jobOf("one", { input: { kind: "inline", data: { predictions: [1, 2.5, null, "ä"] } } });
      await stage.queue.publish(job);
      const { delivery } = await grader.next();
      expect(delivery.job).toEqual(job);
      expect(delivery.delivery).toBe(1);
      expect(delivery.signal.aborted).toBe(false);
    });

    it("delivers every digit of a job's numbers", async () => {
      const data = parseExact("[9007199254740993, 1.0]", "all");
      await stage.queue.publish(jobOf("one", { input: { kind: "inline", data } }));
      const { delivery } = await stage.attach().next();
      expect(stringifyExact(delivery.job.input)).toBe('{"kind":"inline","data":[9007199254740993,1.0]}');
    });

    it("keeps jobs that were published before any grader was attached", async () => {
      await stage.queue.publish(jobOf("early"));
      expect((await stage.attach().next()).id).toBe("early");
    });

    it("keeps the order of a challenge's jobs", async () => {
      const ids = Array.from({ length: 30 }, (_, i) => `job-${i}`);
      for (const id of ids) await stage.queue.publish(jobOf(id));
      const grader = stage.attach();
      const seen: string[] = [];
      for (const _ of ids) {
        const taken = await grader.next();
        seen.push(taken.id);
        taken.acknowledge();
      }
      expect(seen).toEqual(ids);
    });

    it("never exceeds the slots of a grader, and fills a slot that becomes free", async () => {
      const grader = stage.attach({ concurrency: 3 });
      for (let i = 0; i < 12; i++) await stage.queue.publish(jobOf(`job-${i}`));
      for (let i = 0; i < 12; i++) {
        const taken = await grader.next();
        if (i >= 2) taken.acknowledge();
      }
      expect(grader.maxRunning()).toBe(3);
    });

    it("keeps a job that no attached grader serves, without blocking others", async () => {
      const grader = stage.attach({ challenges: () => ["iris"] });
      await stage.queue.publish(jobOf("other", { challenge: "digits" }));
      await stage.queue.publish(jobOf("mine"));
      const first = await grader.next();
      expect(first.id).toBe("mine");
      first.acknowledge();
      const another = stage.attach({ challenges: () => ["digits"] });
      expect((await another.next()).id).toBe("other");
      expect(grader.seen()).toEqual(["mine"]);
    });

    it("delivers only sessions to a grader that takes only sessions, behind other jobs of the challenge", async () => {
      const sessions = ["iris"];
      const grader = stage.attach({ grader: "unboxed", challenges: () => [], sessions: () => sessions });
      const session = { input: { kind: "session", replay: null } } as const;
      for (const id of ["code-1", "code-2"]) await stage.queue.publish(jobOf(id, { fair_key: "a" }));
      for (const id of ["session-1", "session-2", "session-3"])
        await stage.queue.publish(jobOf(id, { ...session, fair_key: "a" }));
      await stage.queue.cancel("session-2");
      const taken = await grader.next();
      taken.returnToQueue();
      for (const delivery of [2, 1]) {
        const next = await grader.next();
        expect(next.delivery.delivery).toBe(delivery);
        next.acknowledge();
      }
      expect(grader.seen()).toEqual(["session-1", "session-1", "session-3"]);
      await until(async () => (await stage.queue.attached()).length === 1);
      expect(await stage.queue.attached()).toEqual([
        { grader: "unboxed", challenges: [], sessions: ["iris"], concurrency: 1 },
      ]);
      const full = stage.attach({ grader: "boxed" });
      for (const id of ["code-1", "code-2"]) {
        const next = await full.next();
        expect(next.id).toBe(id);
        next.acknowledge();
      }
      await grader.stop();
      await stage.queue.publish(jobOf("session-4", session));
      expect((await full.next()).id).toBe("session-4");
    });

    it("delivers waiting jobs of a challenge that a grader begins to serve", async () => {
      const served = ["iris"];
      const grader = stage.attach({ challenges: () => served });
      await stage.queue.publish(jobOf("waits", { challenge: "digits" }));
      served.push("digits");
      expect((await grader.next()).id).toBe("waits");
    });

    it("does not let a long queue of one challenge block another", async () => {
      const grader = stage.attach({ challenges: () => ["iris", "digits"] });
      for (let i = 0; i < 20; i++) await stage.queue.publish(jobOf(`long-${i}`));
      await stage.queue.publish(jobOf("short", { challenge: "digits" }));
      const seen: string[] = [];
      while (!seen.includes("short")) {
        const taken = await grader.next();
        seen.push(taken.id);
        taken.acknowledge();
      }
      expect(seen.length).toBeLessThan(10);
    });

    it("delivers each job to one grader only, while none is returned", async () => {
      const [a, b] = [stage.attach({ grader: "a" }), stage.attach({ grader: "b" })];
      const ids = Array.from({ length: 20 }, (_, i) => `job-${i}`);
      for (const one of [a, b]) one.onTake((taken) => taken.acknowledge());
      for (const id of ids) await stage.queue.publish(jobOf(id));
      await until(() => a.seen().length + b.seen().length >= ids.length);
      await stage.queue.publish(jobOf("last"));
      await until(() => [...a.seen(), ...b.seen()].includes("last"));
      expect([...a.seen(), ...b.seen()].sort()).toEqual([...ids, "last"].sort());
    });
  });

  describe("acknowledging and returning", () => {
    it("does not deliver an acknowledged job again", async () => {
      await stage.queue.publish(jobOf("done"));
      const first = stage.attach();
      (await first.next()).acknowledge();
      await first.stop();
      const second = stage.attach({ grader: "second" });
      await stage.queue.publish(jobOf("next"));
      expect((await second.next()).id).toBe("next");
    });

    it("puts a returned job at the front, and counts its deliveries", async () => {
      for (const id of ["first", "second", "third"]) await stage.queue.publish(jobOf(id));
      const grader = stage.attach();
      (await grader.next()).returnToQueue();
      const again = await grader.next();
      expect([again.id, again.delivery.delivery]).toEqual(["first", 2]);
      again.returnToQueue();
      const third = await grader.next();
      expect([third.id, third.delivery.delivery]).toEqual(["first", 3]);
      third.acknowledge();
      expect((await grader.next()).id).toBe("second");
    });

    it("delivers a job returned by one grader to another", async () => {
      await stage.queue.publish(jobOf("moves"));
      const first = stage.attach({ grader: "first" });
      const taken = await first.next();
      const second = stage.attach({ grader: "second" });
      first.abort();
      taken.returnToQueue();
      const moved = await second.next();
      expect([moved.id, moved.delivery.delivery]).toEqual(["moves", 2]);
    });

    it("treats a handler that throws synchronously as one that rejects", async () => {
      let calls = 0;
      const grader = stage.attach({
        handle: (delivery) => {
          calls++;
          if (calls === 1) throw new Error("at once");
          return Promise.resolve(void delivery);
        },
      });
      await stage.queue.publish(jobOf("thrown"));
      await until(() => calls === 2);
      expect(grader.seen()).toEqual(["thrown", "thrown"]);
    });
  });
}
