import { expect, it } from "vitest";
import { createCircuitBreaker } from "./circuit-breaker.ts";

class Unreachable extends Error {
  readonly status: number | null;
  constructor(reason: string, status: number | null = null) {
    super(reason);
    this.status = status;
  }
}
const isOutage = (error: unknown) => error instanceof Unreachable && error.status === null;
const gone = () => Promise.reject(new Unreachable("the connection failed"));

it("after a call without a response the next ones fail at once, until the server answers another call", async () => {
  const breaker = createCircuitBreaker(60_000, isOutage);
  expect(await breaker.call(async () => 1)).toBe(1);
  await expect(breaker.call(gone)).rejects.toThrow("the connection failed");
  let asked = false;
  await expect(breaker.call(async () => (asked = true))).rejects.toBeInstanceOf(Unreachable);
  expect(asked).toBe(false);
  breaker.answered();
  expect(await breaker.call(async () => 2)).toBe(2);
});

it("an unusable response does not stop further calls", async () => {
  const breaker = createCircuitBreaker(60_000, isOutage);
  await expect(breaker.call(() => Promise.reject(new Unreachable("it answered 500", 500)))).rejects.toThrow();
  expect(await breaker.call(async () => 1)).toBe(1);
});

it("a single call tries when the pause is over", async () => {
  const breaker = createCircuitBreaker(0, isOutage);
  await expect(breaker.call(gone)).rejects.toThrow();
  const { promise, resolve } = Promise.withResolvers<number>();
  const trying = breaker.call(() => promise);
  await expect(breaker.call(async () => 2)).rejects.toBeInstanceOf(Unreachable);
  resolve(1);
  expect(await trying).toBe(1);
  expect(await breaker.call(async () => 3)).toBe(3);
});
