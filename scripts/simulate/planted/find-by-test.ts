// Runs the tests of one fault with the fault in the code, and sends how many of them failed.
//
//   node scripts/simulate/planted/find-by-test.ts <fault>
import { join } from "node:path";
import { startVitest } from "vitest/node";
import { sendToParent } from "../../lib/parent-process.ts";
import { FOUND_BY_TESTS } from "./edits.ts";
import { replaceOnce } from "./plant-in-code.ts";

const ROOT = join(import.meta.dirname, "../../..");

const { edits, test } = FOUND_BY_TESTS[process.argv[2]!]!;
const vitest = await startVitest(
  "test",
  [test],
  {
    root: ROOT,
    config: false,
    watch: false,
    include: [test],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    maxWorkers: 1,
    // Says nothing: a test that fails is what is looked for.
    reporters: [{}],
  },
  {
    plugins: [
      {
        name: "planted-fault",
        enforce: "pre",
        transform(source, id) {
          const here = edits.filter(({ file }) => id === join(ROOT, file));
          if (here.length === 0) return null;
          return here.reduce((text, { find, instead }) => replaceOnce(text, find, instead), source);
        },
      },
    ],
  },
);
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
const failed = tests.filter((one) => one.result().state === "failed").length;
await vitest.close();
process.exitCode = 0;
sendToParent({ failed, tests: tests.length });
if (!process.send) console.log({ failed, tests: tests.length });
