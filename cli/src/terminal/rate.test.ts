import { expect, it } from "vitest";
import { createRate } from "./rate.ts";

it("measures a rate after a second, smooths it, and says what is left", () => {
  let time = 0;
  const rate = createRate(() => time);
  const at = (ms: number, done: number) => {
    time = ms;
    return rate(done, 10_000);
  };
  expect(at(0, 2000)).toEqual({ perSecond: null, leftMs: null });
  expect(at(500, 2500).perSecond).toBeNull();
  expect(at(1000, 3000)).toEqual({ perSecond: 1000, leftMs: 7000 });
  const { perSecond } = at(1100, 4000);
  expect(perSecond).toBeGreaterThan(1000);
  expect(perSecond).toBeLessThan(2500);
  expect(at(1200, 0)).toEqual({ perSecond: null, leftMs: null });
});
