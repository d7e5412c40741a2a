import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { CrowdaiError } from "./protocol/errors.ts";
import { retryUntilReady } from "./retry-until-ready.ts";

const QUICK = { timeoutMs: 100, pauseMs: 10 };
const away = () => new CrowdaiError("records_unreachable");
const answered = (httpStatusCode: number) =>
  new CrowdaiError("store_unreachable", undefined, { cause: { $metadata: { httpStatusCode } } });

describe("a start that requires services", () => {
  const stage = (...failures: Error[]) => {
    const stderr = new PassThrough();
    let tries = 0;
    const start = async () => {
      tries++;
      const failure = failures.shift();
      if (failure) throw failure;
      return "started";
    };
    return { stderr, start, tries: () => tries, said: () => String(stderr.read() ?? "") };
  };

  it.each([
    ["records that cannot be reached", away],
    ["a store that cannot be reached", () => new CrowdaiError("store_unreachable")],
    ["a store that answers for one behind it that is away", () => answered(503)],
  ])("waits for %s, and says so once", async (_, failure) => {
    const { start, stderr, tries, said } = stage(failure(), failure());
    expect(await retryUntilReady(start, stderr, QUICK)).toBe("started");
    expect(tries()).toBe(3);
    expect(said().match(/Waiting/g)).toHaveLength(1);
  });

  it.each([
    ["wrong credentials of a store", answered(403)],
    ["a mistake in the settings", new CrowdaiError("usage", "No.")],
    ["anything else", new Error("too many of something")],
  ])("does not wait for %s", async (_, failure) => {
    const { start, stderr, tries, said } = stage(failure);
    await expect(retryUntilReady(start, stderr, QUICK)).rejects.toBe(failure);
    expect([tries(), said()]).toEqual([1, ""]);
  });

  it("ends with the reason of an abort, before the start, during it and during a pause", async () => {
    const { start, stderr, tries } = stage(away(), away());
    const signal = AbortSignal.abort("stopped");
    await expect(retryUntilReady(start, stderr, { signal })).rejects.toBe("stopped");
    expect(tries()).toBe(0);
    for (const pauseMs of [0, 3_600_000]) {
      const controller = new AbortController();
      const running = retryUntilReady(start, stderr, { pauseMs, signal: controller.signal });
      setImmediate(() => controller.abort("stopped"));
      if (pauseMs === 0) controller.abort("stopped");
      await expect(running).rejects.toBe("stopped");
    }
    expect(tries()).toBe(2);
  });

  it("fails with the reason when they stay unreachable", async () => {
    const { start, stderr } = stage(...Array.from({ length: 50 }, away));
    await expect(retryUntilReady(start, stderr, QUICK)).rejects.toMatchObject({ exitCode: 5 });
  });
});
