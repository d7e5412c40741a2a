import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createDeadline } from "./deadline.ts";

it("a deadline passes once, at the last time that it was moved to", async () => {
  const passed: number[] = [];
  const began = performance.now();
  using deadline = createDeadline(() => passed.push(performance.now() - began));
  deadline.set(began + 20);
  deadline.set(Number.POSITIVE_INFINITY);
  await sleep(40);
  deadline.set(began + 10_000);
  deadline.set(began + 80);
  deadline.set(began + 120);
  await sleep(200);
  expect(passed).toHaveLength(1);
  expect(passed[0]).toBeGreaterThanOrEqual(120);
});
