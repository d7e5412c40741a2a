// `npm run boxes`: the contract, the self-test and all hostile programs of each kind of box, which `npm test`
// runs in part.
//
//   npm run boxes                     on this machine
//   npm run boxes -- --v2             in a virtual machine with control groups of version 2, for machines that have version 1
//   npm run boxes -- --v2 bubblewrap  only the test files whose path contains the argument
import { runInVirtualMachine } from "./boxes/virtual-machine.ts";
import { readOptions } from "./lib/read-options.ts";
import { root } from "./lib/root.ts";
import { runCommand, timeLimit } from "./lib/run-command.ts";
import ensureBuilt from "./test/ensure-built.ts";
import { installMissing, REQUIRED_PROGRAMS } from "./test/system-packages.ts";

const TESTS = [
  "grader/src/confinement/control-groups.test.ts",
  "grader/src/box/bubblewrap/bubblewrap.test.ts",
  "grader/src/box/bubblewrap/starters.test.ts",
  "grader/src/box/abuse.test.ts",
  "grader/src/box/oci/oci.test.ts",
];
const PROGRAMS = ["bwrap", "python3", "runc", "runsc"];
const LIMIT_MINUTES = 60;
/** How many times slower programs are in the virtual machine. */
const SLOWNESS = 10;

const HELP = `npm run boxes -- [options] [part of a test file's path …]

  --v2    in a virtual machine with control groups of version 2
  --help`;

const { values, positionals } = readOptions(HELP, {
  allowPositionals: true,
  options: { v2: { type: "boolean", default: false } },
});
const wanted = REQUIRED_PROGRAMS.filter(({ program }) => PROGRAMS.includes(program));
for (const { program, debian, without } of installMissing(wanted))
  console.log(`MISSING: ${program} (Debian package ${debian}). Not tested without it: ${without}.`);
// The test setup would do it in the virtual machine, slowly.
await ensureBuilt();
const chosen = TESTS.filter(
  (path) => positionals.length === 0 || positionals.some((part) => path.includes(part)),
);
const command = [
  ...[process.execPath, `${root}/node_modules/vitest/vitest.mjs`, "run", "--maxWorkers=1", "--reporter=tree"],
  ...["--project=unit", "--project=suite", ...chosen],
];
const env = { CROWDAI_TEST_BOXES: "all" };
process.exitCode = values.v2
  ? await runInVirtualMachine([...command, "--testTimeout=3600000", "--hookTimeout=600000"], {
      ...env,
      CROWDAI_TEST_SLOWNESS: String(SLOWNESS),
    })
  : (await runCommand(command[0]!, command.slice(1), { env, end: timeLimit(LIMIT_MINUTES) })).exitCode;
