import { expect, it } from "vitest";
import { createPace } from "./rate-limit.ts";

it("allows a burst and then so many a second, to each caller", () => {
  let now = 0;
  const pace = createPace(() => now);
  const allowed = (caller: string, times: number) =>
    Array.from({ length: times }, () => pace.allows(caller)).filter(Boolean).length;
  expect(allowed("ada", 5000)).toBe(100);
  expect(allowed("bob", 10)).toBe(10);
  now += 1000;
  expect(allowed("ada", 5000)).toBe(20);
  now += 60_000;
  pace.tidy();
  expect(allowed("ada", 5000)).toBe(100);
});
