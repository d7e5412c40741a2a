import { availableParallelism, loadavg } from "node:os";

/**
 * Returns how long something may take that takes at most `ms` on a machine that does nothing else: more where
 * the processors are shared with other work. For what only computes, compare CPU time instead.
 */
export function allowedMs(ms: number): number {
  const load = (loadavg()[0] ?? 0) / availableParallelism();
  return ms * Math.max(1, load, share());
}

/** How many times longer than its CPU time a short computation takes at this moment. */
function share(): number {
  const SPIN_MS = 20;
  const began = performance.now();
  const before = process.cpuUsage();
  let cpuMs = 0;
  while (cpuMs < SPIN_MS) {
    const { user, system } = process.cpuUsage(before);
    cpuMs = (user + system) / 1000;
  }
  return (performance.now() - began) / cpuMs;
}
