// `npm run simulate`: the life of submissions in simulated time, with crashes and losses at every step;
// docs/simulation.md explains it.
import { availableParallelism } from "node:os";
import { readOptions } from "./lib/read-options.ts";
import { PLANTED_FAULTS } from "./simulate/planted/planted-faults.ts";
import type { RangeResult } from "./simulate/run-range.ts";
import { runScript } from "./simulate/run-script.ts";
import { showPlanted } from "./simulate/show-planted.ts";

/** Schedules that a process runs before it reports, at most. */
const RANGE = 10_000;

const HELP = `npm run simulate -- [options]

  --schedules <n>  1000000 by default, on all processors
  --seed <n>       the first seed, by default 1
  --plant <fault>  plants a fault, which must be found
  --planted        plants all faults, one after another
  --help`;

const { values } = readOptions(HELP, {
  options: {
    schedules: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    plant: { type: "string" },
    planted: { type: "boolean", default: false },
  },
});
const [schedules, seed] = [wholeNumber("schedules"), wholeNumber("seed")];
if (values.plant !== undefined && !(values.plant in PLANTED_FAULTS))
  refuse(`there is no fault "${values.plant}"; there are ${Object.keys(PLANTED_FAULTS).join(", ")}`);

if (values.planted) process.exit((await showPlanted()) ? 0 : 1);

const began = performance.now();
const processes = availableParallelism();
const range = Math.min(RANGE, Math.ceil(schedules / processes));
let next = seed;
let done = 0;
let choices = 0;
const failures: NonNullable<RangeResult["failure"]>[] = [];
await Promise.all(Array.from({ length: processes }, work));

const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${done} schedules from seed ${seed}, ${choices} choices, ${seconds} s: ${failures.length} failed`,
);
for (const { seed: failed, message, trace } of failures) {
  console.log(`\n${trace.join("\n")}\n\nseed ${failed}: ${message}`);
  const planted = values.plant === undefined ? "" : ` --plant "${values.plant}"`;
  console.log(`again:  npm run simulate -- --schedules 1 --seed ${failed}${planted}`);
}
process.exitCode = failures.length > 0 ? 1 : 0;

async function work(): Promise<void> {
  while (next < seed + schedules && failures.length === 0) {
    const count = Math.min(range, seed + schedules - next);
    const first = next;
    next += count;
    const result = await runRange(first, count);
    done += result.schedules;
    choices += result.choices;
    if (result.failure) failures.push(result.failure);
    if (schedules > RANGE) console.log(`  ${done} of ${schedules}`);
  }
}

function runRange(first: number, count: number): Promise<RangeResult> {
  const planted = values.plant === undefined ? [] : [values.plant];
  return runScript<RangeResult>("range.ts", [String(first), String(count), ...planted]);
}

function wholeNumber(name: "schedules" | "seed"): number {
  const value = Number(values[name]);
  return Number.isSafeInteger(value) && value > 0 ? value : refuse(`--${name} takes a whole number from 1`);
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
