import { expect, it } from "vitest";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { WebappUnreachable } from "./webapp-client.ts";

const gone = () => Promise.reject(new WebappUnreachable("the connection failed"));

it("after a call without an answer the next ones fail at once, until the webapp answers somebody", async () => {
  const breaker = createCircuitBreaker(60_000);
  expect(await breaker.call(async () => 1)).toBe(1);
  await expect(breaker.call(gone)).rejects.toThrow("the connection failed");
  let asked = false;
  await expect(breaker.call(async () => (asked = true))).rejects.toBeInstanceOf(WebappUnreachable);
  expect(asked).toBe(false);
  breaker.answered();
  expect(await breaker.call(async () => 2)).toBe(2);
});

it("an answer that is of no use keeps nobody from asking", async () => {
  const breaker = createCircuitBreaker(60_000);
  await expect(
    breaker.call(() => Promise.reject(new WebappUnreachable("it answered 500", 500))),
  ).rejects.toThrow();
  expect(await breaker.call(async () => 1)).toBe(1);
});

it("when the pause is over one alone tries", async () => {
  const breaker = createCircuitBreaker(0);
  await expect(breaker.call(gone)).rejects.toThrow();
  const { promise, resolve } = Promise.withResolvers<number>();
  const trying = breaker.call(() => promise);
  await expect(breaker.call(async () => 2)).rejects.toBeInstanceOf(WebappUnreachable);
  resolve(1);
  expect(await trying).toBe(1);
  expect(await breaker.call(async () => 3)).toBe(3);
});
