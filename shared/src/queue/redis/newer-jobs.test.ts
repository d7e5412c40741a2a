import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { jobOf } from "../contract/samples.ts";
import { until } from "../contract/wait-until.ts";
import { staged } from "./testing/redis-stage.ts";

describe.skipIf(withoutService("redis"))("a job in Redis", () => {
  it.concurrent.each([
    ["another kind of input", { input: { kind: "notebook", cells: [] } }],
    ["a field that has another form", { round: "final" }],
  ])(
    "with %s, as a newer broker writes it, is delivered as unreadable until it is acknowledged",
    (_, changes) =>
      staged(async (stage) => {
        const queue = await stage.queue();
        const grader = stage.attach(queue);
        await queue.publish(jobOf("newer", { attempt: 3, ...(changes as object) }));
        for (const delivery of [1, 2]) {
          const taken = await grader.next();
          expect(taken.delivery).toMatchObject({
            ...{ delivery, unreadable: expect.stringMatching(/input|round/) },
            job: { submission: "newer", attempt: 3, challenge: "iris" },
          });
          taken.returnToQueue();
        }
        (await grader.next()).acknowledge();
        await queue.publish(jobOf("other"));
        const other = await grader.next();
        expect(other.delivery).not.toHaveProperty("unreadable");
        other.acknowledge();
      })(),
  );

  it.concurrent(
    "that names no submission is discarded",
    staged(async (stage) => {
      const queue = await stage.queue();
      const grader = stage.attach(queue);
      const entry = ["s", "broken", "a", "1", "j", '{"challenge":"iris"}'];
      await stage.admin.xadd(stage.key("jobs:iris"), "*", ...entry);
      await queue.publish(jobOf("next"));
      (await grader.next()).acknowledge();
      expect(grader.seen()).toEqual(["next"]);
      await until(() => stage.logged.includes("invalid queue entry discarded"));
    }),
  );
});
