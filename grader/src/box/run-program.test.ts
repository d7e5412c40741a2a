import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { type RunOptions, runProgram, SMALL_LIMITS } from "./run-program.ts";
import type { Box, BoxEnd, BoxPlan } from "./sandbox.ts";

const END: BoxEnd = {
  ...{ cause: "exit", code: 4, detail: "", scratchFull: false },
  usage: { wallMs: 1, cpuMs: 2, peakMemoryBytes: 3 },
};

/** A box whose program prints something and exits; it notes what is asked of it. */
function createBox(stdout: (string | Buffer)[], stderr: string[] = []) {
  const calls: unknown[][] = [];
  const plans: BoxPlan[] = [];
  let failure: Error | null = null;
  const stdin = new PassThrough();
  const start = (plan: BoxPlan): Box => {
    plans.push(plan);
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
    for (const chunk of stdout) streams.stdout.write(chunk);
    for (const chunk of stderr) streams.stderr.write(chunk);
    return {
      ...{ stdin, ...streams, exited: new Promise((resolve) => setImmediate(resolve)) },
      async collect(...args) {
        calls.push(["collect", ...args]);
        if (failure) throw failure;
        return true;
      },
      clear: async () => {},
      close: () => void calls.push(["close"]),
      kill: () => void calls.push(["kill"]),
      ended: Promise.resolve(END),
    };
  };
  const run = (options?: RunOptions) => runProgram(start, ["/bin/echo", "a"], options);
  return { run, calls, plans, stdin, fail: (error: Error) => (failure = error) };
}

describe("a program that is run to its end", () => {
  it("returns what it printed, and how it ended", async () => {
    const { run, calls, stdin } = createBox(["a", "b"], ["c"]);
    expect(await run()).toEqual({ ...END, stdout: "ab", stderr: "c" });
    expect([calls, stdin.writableEnded]).toEqual([[["close"]], true]);
  });

  it("has the plan's options, and small limits but for those that are given", async () => {
    const { run, plans } = createBox([]);
    await run();
    const readable = { "/a": "/b" };
    await run({ readable, root: "/images/1", inbox: "/inboxes/1", limits: { wallMs: 5 } });
    const plan = {
      ...{ command: ["/bin/echo", "a"], cwd: "/tmp", env: { LANG: "C.UTF-8" }, stdin: "pipe" },
    };
    expect(plans).toStrictEqual([
      { ...plan, readable: {}, limits: SMALL_LIMITS },
      {
        ...{ ...plan, readable, root: "/images/1", inbox: "/inboxes/1" },
        limits: { ...SMALL_LIMITS, wallMs: 5 },
      },
    ]);
    expect(SMALL_LIMITS).toEqual({
      ...{ memoryBytes: 67_108_864, cpuMs: 60_000, wallMs: 60_000, processes: 16, scratchBytes: 8_388_608 },
    });
  });

  it("leaves its files where they are wanted, up to 64 MB or those that are taken", async () => {
    const { run, calls } = createBox([]);
    await run({ collectInto: "/into" });
    const take = () => true;
    await run({ collectInto: "/into", take });
    expect(calls).toEqual([
      ...[["collect", "/into", 67_108_864], ["close"]],
      ...[["collect", "/into", take], ["close"]],
    ]);
  });

  it("leaves no box when its files cannot be written", async () => {
    const { run, calls, fail } = createBox([]);
    fail(new Error("ENOSPC"));
    await expect(run({ collectInto: "/into" })).rejects.toThrow("ENOSPC");
    expect(calls.at(-1)).toEqual(["close"]);
  });

  it("is killed when it prints more than a megabyte", async () => {
    const megabyte = Buffer.alloc(2 ** 20, "x");
    const all = createBox([megabyte]);
    expect((await all.run()).stdout).toHaveLength(2 ** 20);
    expect(all.calls).toEqual([["close"]]);
    const more = createBox([megabyte, "y"]);
    expect((await more.run()).stdout).toHaveLength(2 ** 20);
    expect(more.calls).toEqual([["kill"], ["close"]]);
  });

  it("is shown to the caller while it runs", async () => {
    const { run, stdin } = createBox([]);
    let box: Box | undefined;
    await run({ onStart: (started) => (box = started) });
    expect(box!.stdin).toBe(stdin);
  });
});
