import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RangeResult } from "./run-range.ts";
import { runScript } from "./run-script.ts";

/**
 * All but those that take hundreds of schedules, or of steps: `npm run simulate -- --planted` looks for all.
 */
const FOUND_SOON =
  "^(?!fence|deadline|jobs of|lost start|requeue|disqualified|marked as|outbox|silent|played).*$";

/** In one process, which gets faster for as long as it runs. */
const SCHEDULES = 10_000;
/** On a machine that has twenty times as much to do as it can. */
const MAX_MS = 900_000;

describe("the life of submissions in simulated time", () => {
  it(
    "keeps every promise in 10,000 schedules",
    async () => {
      const { schedules, failure } = await runScript<RangeResult>("range.ts", ["1", String(SCHEDULES)]);
      expect(failure).toBeNull();
      expect(schedules).toBe(SCHEDULES);
    },
    MAX_MS,
  );

  it(
    "shows faults planted in the records and in the code, each within 400 schedules",
    async () => {
      const found = await runScript<Record<string, number | null>>("find-planted.ts", [FOUND_SOON]);
      expect(Object.keys(found).length).toBeGreaterThanOrEqual(15);
      for (const [name, schedules] of Object.entries(found)) expect(schedules, name).toBeLessThanOrEqual(400);
    },
    MAX_MS,
  );

  it(
    "comes out the same again from the same seed, and shrinks to a short trace",
    async () => {
      const [first, second] = await Promise.all(
        [1, 2].map(() => runScript<RangeResult>("range.ts", ["340", "100", "fence"])),
      );
      expect(first!.failure).toMatchObject({ message: expect.stringContaining("late reports") });
      expect(second).toEqual(first);
    },
    MAX_MS,
  );

  it(
    "ends a process of schedules with the one that waits for them",
    async () => {
      const child = fork(join(import.meta.dirname, "range.ts"), ["1", "1000000000"]);
      await once(child, "spawn");
      child.disconnect();
      expect(await once(child, "exit")).toEqual([0, null]);
    },
    MAX_MS,
  );
});
