import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../testing/challenge.ts";
import { createStepLog, readStepLog, STEP_LOG } from "./step-log.ts";
import { createTimes } from "./step-times.ts";

const TIMES = { agentMs: 0.12345, environmentMs: 2 };
const step = (n: number) => ({
  ...{
    episode: 1,
    n,
    action: "[0.5]",
    reward: n / 2,
    terminated: false,
    truncated: n === 2000,
    digest: `d${n}`,
  },
});

async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

describe("a step log", () => {
  it("can be read while it is written, and when it is complete", async () => {
    const path = join(await temporaryFolder(), STEP_LOG);
    const log = createStepLog(path, { protocol: 1 });
    log.reset(1, "s", "d0", TIMES);
    log.step(step(1), TIMES);
    const first = [
      { type: "reset", episode: 1, digest: "d0" },
      { type: "step", episode: 1, n: 1, action: [0.5], reward: 0.5, digest: "d1", over: false },
    ];
    expect(await all(log.entries())).toEqual(first);
    for (let n = 2; n <= 2000; n++) log.step(step(n), TIMES);
    expect((await all(log.entries())).length).toBe(2001);
    await log.close();
    const entries = await all(readStepLog(createReadStream(path)));
    expect(entries.slice(0, 2)).toEqual(first);
    expect(entries.at(-1)).toMatchObject({ n: 2000, reward: 1000, over: true });
  });

  it("that is not one is refused", async () => {
    const path = join(await temporaryFolder(), STEP_LOG);
    await writeFile(path, "steps");
    await expect(all(readStepLog(createReadStream(path)))).rejects.toThrow(/incorrect header/i);
  });
});

describe("the times of steps", () => {
  it("are summed up within a few percent", () => {
    const times = createTimes();
    expect(times.summary()).toEqual({ p50: 0, p99: 0 });
    for (let ms = 1; ms <= 1000; ms++) times.add(ms);
    const { p50, p99 } = times.summary();
    expect(Math.abs(p50 / 500 - 1)).toBeLessThan(0.03);
    expect(Math.abs(p99 / 990 - 1)).toBeLessThan(0.03);
  });
});
