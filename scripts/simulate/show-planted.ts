import { availableParallelism } from "node:os";
import { FOUND_BY_TESTS } from "./planted/edits.ts";
import { PLANTED_FAULTS } from "./planted/planted-faults.ts";
import type { RangeResult } from "./run-range.ts";
import { runScript } from "./run-script.ts";

const MAX_SCHEDULES = 1000;

/**
 * Plants each fault and prints what sees it: a schedule, which must shrink and repeat, or the tests of the
 * part. Returns whether all were seen.
 */
export async function showPlanted(): Promise<boolean> {
  const names = [...Object.keys(PLANTED_FAULTS), ...Object.keys(FOUND_BY_TESTS)];
  const total = names.length;
  let seen = 0;
  async function work(): Promise<void> {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const found = name in PLANTED_FAULTS ? await bySimulation(name) : await byTests(name);
      console.log(`${name.padEnd(46)} ${found ?? "NOT SEEN"}`);
      if (found !== null) seen++;
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  console.log(`${seen} of ${total} planted faults seen`);
  return seen === total;
}

async function bySimulation(name: string): Promise<string | null> {
  const { failure } = await runScript<RangeResult>("range.ts", ["1", String(MAX_SCHEDULES), name]);
  if (failure === null) return null;
  const again = await runScript<RangeResult>("range.ts", [String(failure.seed), "1", name]);
  if (JSON.stringify(again.failure) !== JSON.stringify(failure)) return null;
  return `schedule ${failure.seed}, ${failure.trace.length} lines: ${failure.message.split(":")[0]}`;
}

async function byTests(name: string): Promise<string | null> {
  const { failed, tests } = await runScript<{ failed: number; tests: number }>("planted/find-by-test.ts", [
    name,
  ]);
  return failed === 0 ? null : `${failed} of ${tests} tests: ${FOUND_BY_TESTS[name]!.test}`;
}
