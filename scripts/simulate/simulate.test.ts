import { describe, expect, it } from "vitest";
import type { RangeResult } from "./run-range.ts";
import { runScript } from "./run-script.ts";

describe("the life of submissions in simulated time", () => {
  it("keeps every promise in 1,000 schedules", async () => {
    const { schedules, failure } = await runScript<RangeResult>("range.ts", ["1", "1000"]);
    expect(failure).toBeNull();
    expect(schedules).toBe(1000);
  });

  it("shows each planted fault within 1,000 schedules", async () => {
    const found = await runScript<Record<string, number | null>>("planted/find-planted.ts");
    expect(Object.keys(found).length).toBeGreaterThan(10);
    for (const [name, schedules] of Object.entries(found)) expect(schedules, name).toBeLessThanOrEqual(1000);
  });

  it("comes out the same again from the same seed, and shrinks to a short trace", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => runScript<RangeResult>("range.ts", ["1", "1000", "fence"])),
    );
    expect(first!.failure).toMatchObject({ message: expect.stringContaining("late reports") });
    expect(second).toEqual(first);
  });
});
