import { readFileSync } from "node:fs";

/** Milliseconds of a clock tick in /proc, which is 100 a second on Linux. */
const TICK_MS = 10;

/** Returns the processor time that processes have used, without that of their children, in milliseconds. */
export function processorTime(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    // The name of the program, in parentheses, may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) * TICK_MS;
}
