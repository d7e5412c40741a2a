import { readdirSync, readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { openTestSandbox } from "../../testing/boxes.ts";
import { runProgram } from "../run-program.ts";

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

const SOON = { timeout: allowedMs(5000) };

/** A runtime may run several test files in one process. */
const others = new Set(childrenOf(process.pid));

const run = (script: string, options?: Parameters<typeof runProgram>[2]) =>
  runProgram(sandbox!.start, ["/bin/sh", "-c", script], options);

it.runIf(sandbox)(
  "a box begins in a process that waited for it, and the next one waits already",
  async () => {
    await run("true");
    await expect.poll(waitingStarters, SOON).toHaveLength(1);
    const [waited] = waitingStarters();
    let began: number[] = [];
    const { code } = await run("sleep 0.3", {
      onStart: () => setTimeout(() => (began = childrenOf(process.pid)), 200),
    });
    expect([code, began.includes(waited!)]).toEqual([0, true]);
    await expect.poll(waitingStarters, SOON).toHaveLength(1);
    expect(waitingStarters()).not.toContain(waited);
  },
);

it.runIf(sandbox)(
  "a box of which none waits, or whose starter was killed, begins in a new process",
  async () => {
    await run("true");
    await expect.poll(waitingStarters, SOON).toHaveLength(1);
    const [waited] = waitingStarters();
    process.kill(waited!, "SIGKILL");
    await expect.poll(() => childrenOf(process.pid), SOON).not.toContain(waited);
    expect(await run("exit 7")).toMatchObject({ cause: "exit", code: 7 });
    const ends = await Promise.all([1, 2, 3, 4].map((code) => run(`exit ${code}`)));
    expect(ends.map(({ code }) => code)).toEqual([1, 2, 3, 4]);
  },
);

it.runIf(sandbox)(
  "limits of memory and processes hold in a box whose starter waited without them",
  async () => {
    await run("true");
    await expect.poll(waitingStarters, SOON).toHaveLength(1);
    const memory = await run("tail /dev/zero", { limits: { memoryBytes: 32 * 2 ** 20 } });
    expect(memory.cause).toBe("memory");
    expect(memory.usage.peakMemoryBytes).toBeLessThanOrEqual(32 * 2 ** 20);
    await expect.poll(waitingStarters, SOON).toHaveLength(1);
    const forks = await run("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 9 & done; echo all", {
      limits: { processes: 4 },
    });
    expect(forks.stdout).toBe("");
  },
);

it.runIf(sandbox)("a command with a null byte is refused, as it is for any process", async () => {
  await expect(run("true\0--bind")).rejects.toThrow("null bytes");
});

/** Starters of this file's sandbox that no box has taken. */
function waitingStarters(): number[] {
  return childrenOf(process.pid).filter(
    (pid) => !others.has(pid) && readText(`/proc/${pid}/cmdline`).includes("sub end_with_grader"),
  );
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => Number(readText(`/proc/${pid}/status`).match(/^PPid:\s+(\d+)/m)?.[1]) === parent);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
