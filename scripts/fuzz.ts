// `npm run fuzz`: the properties of test/fuzz with many more inputs than `npm test` tries.
//
//   npm run fuzz                                 100,000 inputs for each property
//   npm run fuzz -- --seconds 600                about so long in all, in rounds of new inputs
//   npm run fuzz -- --runs 5000 --seed 7 parsers only the test files whose path contains the argument
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./lib/root.ts";
import { runCommand, timeLimit } from "./lib/run-command.ts";

const LIMIT_MINUTES = 600;

const HELP = `npm run fuzz -- [options] [part of a file's name …]

  --runs <n>      inputs for each property, default 100000
  --seconds <n>   instead: about so long in all, in rounds of new inputs
  --seed <n>      a random one by default; it is printed

Files, and what gets the inputs:`;

const all = readdirSync(join(root, "test/fuzz")).filter((name) => name.endsWith(".test.ts"));
const { runs, seconds, seed, filters } = readOptions();
const files = all
  .filter((name) => filters.length === 0 || filters.some((part) => name.includes(part)))
  .map((name) => `test/fuzz/${name}`);
if (files.length === 0) stop(`No file of test/fuzz contains ${filters.join(" or ")}.`);
const amount = seconds === null ? `--runs ${runs}` : `--seconds ${seconds}`;
console.log(
  `fuzz: seed ${seed}, ${files.length} files, ${seconds === null ? `${runs} inputs for each property` : `about ${seconds} s`}\n` +
    `again:  npm run fuzz -- ${[amount, `--seed ${seed}`, ...filters].join(" ")}`,
);
const { exitCode, endedBy } = await runCommand(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--maxWorkers", "1", "--testTimeout", String(LIMIT_MINUTES * 60_000), ...files],
  ],
  {
    end: timeLimit(LIMIT_MINUTES),
    env: {
      CROWDAI_FUZZ_SEED: String(seed),
      ...(seconds === null
        ? { CROWDAI_FUZZ_RUNS: String(runs) }
        : { CROWDAI_FUZZ_FILE_SECONDS: String(seconds / files.length) }),
    },
  },
);
if (endedBy !== null) console.error(`ended by ${endedBy}`);
process.exitCode = exitCode;

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        runs: { type: "string", default: "100000" },
        seconds: { type: "string" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      for (const name of all) console.log(`  ${name.replace(".test.ts", "").padEnd(18)}${targetsOf(name)}`);
      process.exit(0);
    }
    return {
      runs: whole("runs", values.runs, 1),
      seconds: values.seconds === undefined ? null : whole("seconds", values.seconds, 1),
      seed: whole("seed", values.seed, 0),
      filters: positionals,
    };
  } catch (error) {
    return stop((error as Error).message);
  }
}

/** The subjects of the file's tests. */
function targetsOf(name: string): string {
  const text = readFileSync(join(root, "test/fuzz", name), "utf8");
  return [...text.matchAll(/^describe\("([^"]+)"/gm)].map(([, subject]) => subject).join("; ");
}

function whole(name: string, text: string, from: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < from)
    throw new Error(`--${name} is a whole number from ${from}, not ${text}`);
  return value;
}

function stop(message: string): never {
  console.error(message);
  process.exit(2);
}
