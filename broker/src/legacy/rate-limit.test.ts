import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { rateLimiters } from "../base/rate-limits.ts";
import { createCallRateLimit } from "./rate-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("allows each caller a burst, and then a steady rate", async () => {
  const rateLimit = createCallRateLimit(rateLimiters());
  const allowed = async (caller: string, times: number) => {
    let count = 0;
    for (let n = 0; n < times; n++)
      await rateLimit.consume(caller).then(
        () => count++,
        (refused) => expect(refused).toMatchObject({ code: "too_many_requests" }),
      );
    return count;
  };
  expect(await allowed("ada", 500)).toBe(100);
  expect(await allowed("bob", 10)).toBe(10);
  vi.advanceTimersByTime(1000);
  expect(await allowed("ada", 500)).toBe(20);
  vi.advanceTimersByTime(60_000);
  expect(await allowed("ada", 500)).toBe(100);
});
