import { afterEach, describe, expect, it, vi } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { jobOf } from "../contract/samples.ts";
import { staged } from "./testing/redis-stage.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe.skipIf(withoutService("redis"))("a grader that backs off after it returned a job", () => {
  it(
    "takes the next one, whenever its backoff ends",
    staged(async (stage) => {
      const queue = await stage.queue();
      const grader = stage.attach(queue);
      // Simulates a process that is suspended between two readings of the clock. The backoff is 10 ms.
      const real = performance.now.bind(performance);
      let [each, away] = [0, 0];
      vi.spyOn(performance, "now").mockImplementation(() => {
        away += each;
        return real() + away;
      });
      for (each = 0.5; each < 6; each += 0.1) {
        await queue.publish(jobOf(`job-${each}`));
        (await grader.next()).returnToQueue();
        const again = await grader.next();
        expect([again.id, again.delivery.delivery]).toEqual([`job-${each}`, 2]);
        again.acknowledge();
      }
    }),
  );
});
