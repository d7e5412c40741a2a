import { afterAll, expect, vi } from "vitest";

const real = clocks();

// Files share a process: where one leaves a timer fake, those that come after it there wait forever.
afterAll(() => {
  // A spy on a fake timer puts the fake back, and would do so as late as the start of the next file.
  vi.restoreAllMocks();
  const left = clocks();
  const fake = Object.keys(real).filter((name) => left[name] !== real[name]);
  vi.useRealTimers();
  Object.assign(globalThis, { setTimeout: real.setTimeout, setInterval: real.setInterval, Date: real.Date });
  expect(fake, "left fake by a test").toEqual([]);
});

function clocks(): Record<string, unknown> {
  return { setTimeout, setInterval, setImmediate, Date, now: performance.now };
}
