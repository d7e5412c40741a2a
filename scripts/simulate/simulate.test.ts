import { describe, expect, it } from "vitest";
import type { RangeResult } from "./run-range.ts";
import { runScript } from "./run-script.ts";

/** All but those that take hundreds of schedules, or of steps: `npm run simulate -- --planted` looks for all. */
const FOUND_SOON =
  "^(?!fence|deadline|jobs of|lost start|requeue|disqualified|regrade|marked as|outbox|silent|played).*$";

/** Schedules of a test: short enough for a busy machine. */
const RANGE = 1250;

describe("the life of submissions in simulated time", () => {
  it.each([1, 2])(
    "keeps every promise in 1,250 schedules (%i of 2)",
    async (range) => {
      const { schedules, failure } = await runScript<RangeResult>("range.ts", [
        String(1 + (range - 1) * RANGE),
        String(RANGE),
      ]);
      expect(failure).toBeNull();
      expect(schedules).toBe(RANGE);
    },
    300_000,
  );

  it("shows faults planted in the records and in the code, each within 100 schedules", async () => {
    const found = await runScript<Record<string, number | null>>("find-planted.ts", [FOUND_SOON]);
    expect(Object.keys(found).length).toBeGreaterThanOrEqual(15);
    for (const [name, schedules] of Object.entries(found)) expect(schedules, name).toBeLessThanOrEqual(100);
  });

  it("comes out the same again from the same seed, and shrinks to a short trace", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => runScript<RangeResult>("range.ts", ["60", "100", "fence"])),
    );
    expect(first!.failure).toMatchObject({ message: expect.stringContaining("late reports") });
    expect(second).toEqual(first);
  });
});
