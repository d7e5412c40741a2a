import { expect, it } from "vitest";
import { jobOf } from "../../shared/src/queue/contract/samples.ts";
import { seeded } from "./choices.ts";
import { createSimulatedQueue } from "./simulated-queue.ts";
import { createWorld } from "./world.ts";

it("a grader whose job is cancelled, or replaced by a new attempt, hears of it", async () => {
  const world = createWorld(seeded(1), { faults: 0, begin: 0 });
  const queue = createSimulatedQueue(world);
  const grader = world.start("grader", { mortal: false });
  const broker = queue.forBroker(world.start("broker", { mortal: false }));
  const heard: string[] = [];
  let isOver = false;
  void (async () => {
    for (const submission of ["a", "b"]) {
      await broker.publish(jobOf(submission));
      const lease = await queue.take(grader);
      lease.onGiven = () => heard.push(submission);
    }
    await broker.cancel("a");
    await broker.publish({ ...jobOf("b"), attempt: 2 });
    isOver = true;
  })();
  await world.run(() => isOver);
  expect(heard).toEqual(["a", "b"]);
});
