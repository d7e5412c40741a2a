import { expect, it } from "vitest";
import { queueContract } from "./contract/queue.contract.ts";
import { jobOf } from "./contract/samples.ts";
import { createEmbeddedQueue } from "./embedded-queue.ts";

queueContract("the embedded queue", async () => {
  const queue = createEmbeddedQueue();
  return { queue, close: () => queue.close() };
});

it("delivers a job to a waiting grader in the same tick", async () => {
  const queue = createEmbeddedQueue();
  const stop = new AbortController();
  let taken = 0;
  const consumption = { grader: "g", challenges: () => ["iris"], concurrency: 1, signal: stop.signal };
  const consuming = queue.consume(consumption, async () => {
    taken++;
  });
  const published = queue.publish(jobOf("now"));
  expect(taken).toBe(1);
  await published;
  stop.abort();
  await consuming;
  await queue.close();
});

it("respects a grader's slots when its handler publishes before it returns", async () => {
  const queue = createEmbeddedQueue();
  const stop = new AbortController();
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const consumption = { grader: "g", challenges: () => ["iris"], concurrency: 1, signal: stop.signal };
  const consuming = queue.consume(consumption, async ({ job: { submission } }) => {
    most = Math.max(most, ++running);
    if (submission === "first") void queue.publish(jobOf("second"));
    else stop.abort();
    await gate.promise;
    running--;
  });
  await queue.publish(jobOf("first"));
  expect(most).toBe(1);
  gate.resolve();
  await consuming;
  expect(most).toBe(1);
  await queue.close();
});

it("does not spin with a grader that returns every job", async () => {
  const queue = createEmbeddedQueue();
  const stop = new AbortController();
  let deliveries = 0;
  const consumption = { grader: "g", challenges: () => ["iris"], concurrency: 1, signal: stop.signal };
  const consuming = queue.consume(consumption, async ({ delivery }) => {
    deliveries = delivery;
    if (delivery === 4) stop.abort();
    throw new Error("no room");
  });
  const began = performance.now();
  await queue.publish(jobOf("unlucky"));
  await consuming;
  expect(deliveries).toBe(4);
  // It backs off for 10, 20 and 40 ms.
  expect(performance.now() - began).toBeGreaterThan(60);
  await queue.close();
});

it("alternates between challenges and between graders", async () => {
  const queue = createEmbeddedQueue();
  for (let i = 0; i < 3; i++)
    for (const challenge of ["a", "b", "c"]) await queue.publish(jobOf(`${challenge}${i}`, { challenge }));
  const stop = new AbortController();
  const order: string[] = [];
  const graders = ["x", "y", "z"].map((grader) =>
    queue.consume(
      { grader, challenges: () => ["a", "b", "c"], concurrency: 1, signal: stop.signal },
      async ({ job: { submission } }) => {
        order.push(`${grader}:${submission}`);
        if (order.length === 9) stop.abort();
      },
    ),
  );
  await Promise.all(graders);
  expect(order.map((one) => one.slice(2))).toEqual(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]);
  expect(new Set(order.map((one) => one[0]))).toEqual(new Set(["x", "y", "z"]));
  await queue.close();
});

it("aborts running jobs and rejects reports when it is closed", async () => {
  const queue = createEmbeddedQueue();
  const gone = Promise.withResolvers<void>();
  const consumption = {
    grader: "g",
    challenges: () => ["iris"],
    concurrency: 1,
    signal: new AbortController().signal,
  };
  const consuming = queue.consume(consumption, ({ signal }) => {
    signal.addEventListener("abort", () => gone.resolve());
    return gone.promise;
  });
  await queue.publish(jobOf("held"));
  const report = queue.report({ submission: "held", attempt: 1, delivery: 1, grader: "g", type: "started" });
  const refused = expect(report).rejects.toThrow("closed");
  await queue.close();
  await gone.promise;
  await consuming;
  await refused;
});
