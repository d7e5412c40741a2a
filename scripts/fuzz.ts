// `npm run fuzz`: the properties of test/fuzz with many more inputs than `npm test` tries.
//
//   npm run fuzz                                 100,000 inputs for each property
//   npm run fuzz -- --runs 5000 --seed 7 parsers only the test files whose path contains the argument
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./lib/root.ts";
import { runCommand, timeLimit } from "./lib/run-command.ts";

const LIMIT_MINUTES = 600;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "100000" }, seed: { type: "string" } },
});
const limit = timeLimit(LIMIT_MINUTES);
const { exitCode, endedBy } = await runCommand(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--testTimeout", String(LIMIT_MINUTES * 60_000)],
    ...(positionals.length > 0 ? positionals.map((part) => `test/fuzz/${part}`) : ["test/fuzz/"]),
  ],
  {
    end: limit,
    env: {
      CROWDAI_FUZZ_RUNS: values.runs,
      ...(values.seed === undefined ? {} : { CROWDAI_FUZZ_SEED: values.seed }),
    },
  },
);
if (endedBy !== null) console.error(`ended by ${endedBy}`);
process.exitCode = exitCode;
