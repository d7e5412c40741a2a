import type { Finding } from "./checker.ts";
import type { History } from "./clients.ts";
import { countFaults, type Fault } from "./fault-plan.ts";

const SHOWN = 10;

interface Run {
  findings: readonly Finding[];
  faults: readonly Fault[];
  histories: readonly History[];
  retriedErrors: ReadonlyMap<string, number>;
  seconds: number;
  settleSeconds: number;
}

/** Prints what was done and what was found. Returns how often a promise was broken. */
export function report({ findings, faults, histories, retriedErrors, seconds, settleSeconds }: Run): number {
  const row = (name: string, count: number | string) =>
    console.log(`  ${name.padEnd(36)}${String(count).padStart(8)}`);
  console.log("\ndone");
  row("submissions acknowledged", histories.filter(({ acknowledged }) => acknowledged).length);
  for (const [name, count] of countFaults(faults)) row(name, count);
  for (const [code, count] of retriedErrors) row(`client tried again after ${code}`, count);
  row("seconds in all", seconds.toFixed(0));
  row("seconds from last fault to last grade", settleSeconds.toFixed(1));
  console.log("\nfound");
  for (const { promise, broken } of findings) row(promise, broken.length);
  for (const { promise, broken } of findings) {
    if (broken.length === 0) continue;
    console.log(`\n${promise}:`);
    for (const one of broken.slice(0, SHOWN)) console.log(`  ${one}`);
    if (broken.length > SHOWN) console.log(`  and ${broken.length - SHOWN} more`);
  }
  return findings.reduce((sum, { broken }) => sum + broken.length, 0);
}
