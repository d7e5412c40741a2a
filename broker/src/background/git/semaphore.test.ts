import { describe, expect, it } from "vitest";
import { createSemaphore } from "./semaphore.ts";

describe("the semaphore of git processes", () => {
  it("gives slots in the order of asking", async () => {
    const semaphore = createSemaphore(2);
    const got: number[] = [];
    for (let n = 1; n <= 4; n++) void semaphore.acquire().then(() => got.push(n));
    await new Promise(setImmediate);
    expect(got).toEqual([1, 2]);
    semaphore.release();
    semaphore.release();
    await new Promise(setImmediate);
    expect(got).toEqual([1, 2, 3, 4]);
  });

  it("refuses callers beyond the limit at once, and waiting ones after a while", async () => {
    const semaphore = createSemaphore(1, { maxWaiting: 1, waitMs: 20 });
    await semaphore.acquire();
    const waiting = semaphore.acquire();
    await expect(semaphore.acquire()).rejects.toMatchObject({ code: "broker_busy" });
    await expect(waiting).rejects.toMatchObject({ code: "broker_busy" });
  });

  it("passes on the slot of a caller who gave up", async () => {
    const semaphore = createSemaphore(1);
    await semaphore.acquire();
    const abort = new AbortController();
    const aborted = semaphore.acquire(abort.signal);
    const next = semaphore.acquire();
    abort.abort(new Error("gone"));
    await expect(aborted).rejects.toThrow("gone");
    semaphore.release();
    await next;
    await expect(semaphore.acquire(AbortSignal.abort(new Error("early")))).rejects.toThrow("early");
  });
});
