import { describe, expect, it } from "vitest";
import { createHeartbeats, STALLED_AFTER_MS } from "./heartbeats.ts";

const fail = async () => {
  throw new Error("no");
};

describe("heartbeats", () => {
  let now = 0;
  const heartbeats = createHeartbeats(() => now);
  const pass = (ms: number) => {
    now += ms;
  };

  it("report work that keeps failing for a minute, until it succeeds", async () => {
    await heartbeats.watch("sweep", fail).catch(() => {});
    pass(STALLED_AFTER_MS + 1);
    expect(heartbeats.problems().size).toBe(0);
    await heartbeats.watch("sweep", fail).catch(() => {});
    expect([...heartbeats.problems()]).toEqual([["sweep", "keeps failing"]]);
    await heartbeats.watch("sweep", async () => {});
    expect(heartbeats.problems().size).toBe(0);
  });

  it("report work that does not finish, even when other runs of it do", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hanging = heartbeats.watch("reports", () => promise);
    pass(STALLED_AFTER_MS + 1);
    await heartbeats.watch("reports", async () => {});
    expect([...heartbeats.problems()]).toEqual([["reports", "does not finish"]]);
    resolve();
    await hanging;
    expect(heartbeats.problems().size).toBe(0);
  });

  it("allow more time for work that runs rarely", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hanging = heartbeats.watch("uploads", () => promise, 10 * STALLED_AFTER_MS);
    pass(9 * STALLED_AFTER_MS);
    expect(heartbeats.problems().size).toBe(0);
    pass(2 * STALLED_AFTER_MS);
    expect(heartbeats.problems().size).toBe(1);
    resolve();
    await hanging;
  });
});
