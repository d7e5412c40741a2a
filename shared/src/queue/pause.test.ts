import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pause } from "./pause.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function start(ms: number, { signal } = new AbortController()) {
  const state = { over: false, forgets: vi.spyOn(signal, "removeEventListener") };
  void pause(ms, signal).then(() => {
    state.over = true;
  });
  return state;
}

it("a pause takes its time, and then listens no longer", async () => {
  const state = start(100);
  await vi.advanceTimersByTimeAsync(99);
  expect(state.over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect([state.over, state.forgets.mock.calls.length]).toEqual([true, 1]);
});

it("a pause ends when its signal is aborted, or does not begin", async () => {
  const stop = new AbortController();
  const during = start(100, stop);
  await vi.advanceTimersByTimeAsync(50);
  stop.abort();
  const after = start(100, stop);
  await vi.advanceTimersByTimeAsync(0);
  expect([during.over, after.over, vi.getTimerCount()]).toEqual([true, true, 0]);
});
