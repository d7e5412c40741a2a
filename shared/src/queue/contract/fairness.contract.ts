import { describe, expect, it } from "vitest";
import type { Stage } from "./queue-stage.ts";
import { jobOf } from "./samples.ts";
import type { Grader } from "./test-grader.ts";

export function fairnessContract(stage: Stage): void {
  const publish = (key: string, ids: readonly string[]) =>
    Promise.all(ids.map((id) => stage.queue.publish(jobOf(id, { fair_key: key }))));
  const named = (key: string, count: number) => Array.from({ length: count }, (_, i) => `${key}${i + 1}`);

  async function takeAll(grader: Grader, count: number): Promise<string[]> {
    for (let i = 0; i < count; i++) (await grader.next()).acknowledge();
    return grader.seen();
  }

  describe("fair order", () => {
    it("lets the keys of a challenge take turns, and keeps the order of each", async () => {
      await publish("a", named("a", 5));
      await publish("b", named("b", 2));
      await publish("c", named("c", 1));
      expect(await takeAll(stage.attach(), 8)).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4", "a5"]);
    });

    it("delays the first job of a key by at most one job per grader, behind 1,000 of another", async () => {
      const graders = ["x", "y", "z"].map((grader) => stage.attach({ grader }));
      await publish("a", named("a", 1000));
      const held = await Promise.all(graders.map((grader) => grader.next()));
      await publish("b", named("b", 1));
      const later: string[] = [];
      for (const [i, grader] of graders.entries()) {
        held[i]!.acknowledge();
        later.push((await grader.next()).id);
      }
      expect(later).toContain("b1");
    });

    it("does not let a key that sends one job after another pass those that wait", async () => {
      const grader = stage.attach();
      await publish("a", named("a", 3));
      await publish("b", named("b", 1));
      for (let i = 2; i <= 5; i++) {
        const taken = await grader.next();
        await publish("b", [`b${i}`]);
        taken.acknowledge();
      }
      const seen = grader.seen();
      expect(seen.indexOf("a3")).toBeLessThanOrEqual(5);
      await takeAll(grader, 4);
      expect(grader.seen().filter((id) => id.startsWith("b"))).toEqual(named("b", 5));
      expect(grader.seen().filter((id) => id.startsWith("a"))).toEqual(named("a", 3));
      expect(grader.seen().indexOf("a3")).toBeLessThanOrEqual(5);
    });

    it("does not hold cancelled jobs against a key", async () => {
      await publish("a", named("a", 100));
      for (const id of named("a", 100)) await stage.queue.cancel(id);
      await publish("b", named("b", 20));
      await publish("a", ["a"]);
      const order = await takeAll(stage.attach(), 21);
      expect(order.indexOf("a")).toBeLessThanOrEqual(1);
    });

    it("cancels and replaces jobs that wait behind others", async () => {
      await publish("a", named("a", 6));
      await stage.queue.cancel("a1");
      await stage.queue.cancel("a3");
      await stage.queue.publish(jobOf("a4", { fair_key: "a", attempt: 2 }));
      await stage.queue.publish(jobOf("a5", { fair_key: "a" }));
      const grader = stage.attach();
      expect(await takeAll(grader, 4)).toEqual(["a2", "a5", "a6", "a4"]);
      await publish("a", ["after"]);
      expect((await grader.next()).id).toBe("after");
    });

    it("wakes every idle grader for jobs that arrive together", async () => {
      const graders = ["x", "y", "z"].map((grader) => stage.attach({ grader }));
      // Idle graders of a queue over a network wait for news by now.
      await new Promise((waiting) => setTimeout(waiting, 50));
      await publish("a", named("a", 3));
      const taken = await Promise.all(graders.map((grader) => grader.next()));
      expect(taken.map(({ id }) => id).sort()).toEqual(named("a", 3));
    });

    it("keeps keys of any characters apart, and jobs without a key together", async () => {
      await stage.queue.publish(jobOf("old1"));
      await stage.queue.publish(jobOf("old2"));
      await publish("a b:c", ["spaced1", "spaced2"]);
      await publish("ä/%20", ["odd"]);
      expect(await takeAll(stage.attach(), 5)).toEqual(["old1", "spaced1", "odd", "old2", "spaced2"]);
    });
  });
}
