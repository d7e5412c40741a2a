import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
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

describe("a deadline's timer", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  function start() {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const passed: number[] = [];
    let looks = 0;
    const now = () => {
      looks++;
      return performance.now();
    };
    const deadline = createDeadline(() => passed.push(performance.now()), now);
    return { passed, deadline, looks: () => looks };
  }

  it("is one, however often the deadline moves", () => {
    const { passed, deadline } = start();
    for (const at of [500, 400, 900, 700]) {
      deadline.set(at);
      expect(vi.getTimerCount()).toBe(1);
    }
    vi.advanceTimersByTime(699);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(passed).toEqual([700]);
    expect(vi.getTimerCount()).toBe(0);
    deadline.set(1000);
    vi.advanceTimersByTime(300);
    expect(passed).toEqual([700, 1000]);
  });

  it("is not there while the deadline is never, nor after it was disposed", () => {
    const { passed, deadline } = start();
    deadline.set(Number.POSITIVE_INFINITY);
    expect(vi.getTimerCount()).toBe(0);
    deadline.set(100);
    deadline.set(Number.POSITIVE_INFINITY);
    vi.advanceTimersByTime(200);
    expect(vi.getTimerCount()).toBe(0);
    deadline.set(300);
    deadline[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(400);
    expect(passed).toEqual([]);
  });

  it("stays where the deadline moves to a later time, or to none", () => {
    const { passed, deadline, looks } = start();
    deadline.set(100);
    for (const at of [100, 200, Number.POSITIVE_INFINITY, 300]) deadline.set(at);
    expect(looks()).toBe(1);
    vi.advanceTimersByTime(300);
    expect(passed).toEqual([300]);
  });

  it("fires at once for what has passed, and lasts longer than a timer can", () => {
    const { passed, deadline, looks } = start();
    vi.advanceTimersByTime(50);
    deadline.set(10);
    vi.advanceTimersByTime(0);
    expect(passed).toEqual([50]);
    const far = 2 ** 31 + 1000;
    deadline.set(far);
    vi.advanceTimersByTime(2 ** 31 - 1);
    expect(passed).toHaveLength(1);
    vi.advanceTimersByTime(far - performance.now());
    expect(passed).toEqual([50, far]);
    expect(looks()).toBeLessThan(10);
  });
});
