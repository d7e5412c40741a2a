import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const SAMPLE_MS = 500;

/** Returns how busy all processors are while this process waits, in percent. */
export async function otherWork(): Promise<number> {
  const before = times();
  await sleep(SAMPLE_MS);
  const after = times();
  const total = after.total - before.total;
  return total === 0 ? 0 : 100 * (1 - (after.idle - before.idle) / total);
}

function times(): { idle: number; total: number } {
  const all = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    idle,
    total: user + nice + sys + idle + irq,
  }));
  return {
    idle: all.reduce((sum, one) => sum + one.idle, 0),
    total: all.reduce((sum, one) => sum + one.total, 0),
  };
}
