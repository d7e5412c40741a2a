import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RangeResult } from "./range.ts";

// In a process of their own: schedules replace its timers.
async function run<T>(script: string, args: readonly string[] = []): Promise<T> {
  const child = fork(join(import.meta.dirname, script), args, { execArgv: [] });
  const [message] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${script} ended with exit code ${code}`))),
  ]);
  return message as T;
}

describe("the life of submissions in simulated time", () => {
  it("keeps every promise in 1,000 schedules", async () => {
    const { schedules, failure } = await run<RangeResult>("range.ts", ["1", "1000"]);
    expect(failure).toBeNull();
    expect(schedules).toBe(1000);
  });

  it("shows each planted fault within 1,000 schedules", async () => {
    const found = await run<Record<string, number | null>>("find-planted.ts");
    expect(Object.keys(found).length).toBeGreaterThan(10);
    for (const [name, schedules] of Object.entries(found)) expect(schedules, name).toBeLessThanOrEqual(1000);
  });

  it("comes out the same again from the same seed, and shrinks to a short trace", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => run<RangeResult>("range.ts", ["1", "1000", "fence"])),
    );
    expect(first!.failure).toMatchObject({ message: expect.stringContaining("late reports") });
    expect(second).toEqual(first);
  });
});
