import { expect, it } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

it("allows a burst and then so many a second, to each caller", () => {
  let now = 0;
  const rateLimit = createRateLimit(() => now);
  const allowed = (caller: string, times: number) =>
    Array.from({ length: times }, () => rateLimit.allows(caller)).filter(Boolean).length;
  expect(allowed("ada", 5000)).toBe(100);
  expect(allowed("bob", 10)).toBe(10);
  now += 1000;
  expect(allowed("ada", 5000)).toBe(20);
  now += 60_000;
  rateLimit.tidy();
  expect(allowed("ada", 5000)).toBe(100);
});
