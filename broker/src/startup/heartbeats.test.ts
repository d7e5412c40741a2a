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

  it("tell work that has failed again and again for a minute, until it succeeds", async () => {
    await heartbeats.watch("sweep", fail).catch(() => {});
    pass(STALLED_AFTER_MS + 1);
    expect(heartbeats.troubles().size).toBe(0);
    await heartbeats.watch("sweep", fail).catch(() => {});
    expect([...heartbeats.troubles()]).toEqual([["sweep", "fails again and again"]]);
    await heartbeats.watch("sweep", async () => {});
    expect(heartbeats.troubles().size).toBe(0);
  });

  it("tell work that does not come to an end, though other runs of it do", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hanging = heartbeats.watch("reports", () => promise);
    pass(STALLED_AFTER_MS + 1);
    await heartbeats.watch("reports", async () => {});
    expect([...heartbeats.troubles()]).toEqual([["reports", "does not come to an end"]]);
    resolve();
    await hanging;
    expect(heartbeats.troubles().size).toBe(0);
  });

  it("have more patience with work that comes rarely", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hanging = heartbeats.watch("uploads", () => promise, 10 * STALLED_AFTER_MS);
    pass(9 * STALLED_AFTER_MS);
    expect(heartbeats.troubles().size).toBe(0);
    pass(2 * STALLED_AFTER_MS);
    expect(heartbeats.troubles().size).toBe(1);
    resolve();
    await hanging;
  });
});
