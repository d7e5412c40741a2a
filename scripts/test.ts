// `npm test`: everything that has to hold, on both runtimes (the scripts on Node.js only). Ends with
// `N passed, N failed` over all runs.
//
//   npm test                               everything
//   npm test -- --quick                    lint, types, and the unit tests on Node.js: no services, no processes, under two minutes
//   npm test -- broker/src/rules           only these tests, without lint and types
//   npm test -- --runtime bun [filter]     only under Bun (or node)
//   npm test -- --limit 60                 minutes until a run of tests is ended; 30 by default
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "./check.ts";
import { root } from "./lib/root.ts";
import { runCommand, timeLimit } from "./lib/run-command.ts";
import { step } from "./lib/step.ts";
import { isInstalled } from "./services/programs.ts";
import { startInBackground } from "./test/background-command.ts";
import { type Runtime, readTestOptions } from "./test/options.ts";
import { pathWithPython } from "./test/path-with-python.ts";
import { UNDER_BOTH_VARIABLE } from "./test/projects.ts";
import { RESULTS_VARIABLE } from "./test/results-reporter.ts";
import { installSystemPackages } from "./test/system-packages.ts";
import { readTally, summarize, type Tally } from "./test/tally.ts";

/** The projects of vitest.config.ts that run under each runtime. */
const SUITE = ["unit", "suite", "large"];

const options = readOptions();
const { filters, quick, runtimes } = options;
const everything = filters.length === 0 && !quick && runtimes.length > 1;
const bin = join(root, "node_modules/.bin");
const folder = mkdtempSync(join(tmpdir(), "crowdai-test-"));
const tallies: Tally[] = [];

if (everything) {
  const missing = await step("system packages", installSystemPackages);
  if (process.env.CI === "true") fail(missing.map((program) => `system packages: ${program} is missing`));
}
process.env.PATH = pathWithPython();
// Commands start several hundred times: compiled once, each costs Node.js a quarter less.
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules/.compile-cache");
const built = quick || (await build());
if (everything || (quick && filters.length === 0)) fail(await check());
if (filters.some((filter) => filter.includes("packed-client")))
  await vitest("packed client", "node", ["packed-client"]);
const finishPackedClient = everything ? startPackedClient() : null;
for (const runtime of runtimes) await vitest(`tests under ${runtime}`, runtime, quick ? ["unit"] : SUITE);
await finishPackedClient?.();
// By itself: beside a suite, its store answers so slowly that clients give up and try again, for ever.
if (everything && built) await chaos();
rmSync(folder, { recursive: true });

const { failures, flaky, line } = summarize(tallies);
if (flaky.length > 0)
  console.log(`\nFlaky: passed only when run again. Find out whose bug it is:\n${list(flaky)}`);
if (failures.length > 0) console.log(`\nFailed:\n${list(failures)}`);
console.log(`\n${line}`);
process.exitCode = failures.length > 0 ? 1 : 0;

function readOptions() {
  try {
    return readTestOptions(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `  ${name}`).join("\n");
}

function fail(names: string[]): void {
  tallies.push({ passed: 0, skipped: 0, failures: names });
}

/** Resolves to whether it succeeded. */
async function build(): Promise<boolean> {
  const { exitCode, endedBy } = await step("build", () => runCommand(process.execPath, ["scripts/build.ts"]));
  if (exitCode !== 0) fail([endedBy === null ? "build" : `build (ended by ${endedBy})`]);
  return exitCode === 0;
}

/** A fleet whose parts die, for about a minute; see docs/chaos.md. Counts as one test. */
async function chaos(): Promise<void> {
  if (!isInstalled("redis") || !isInstalled("postgres")) {
    console.log("\nSKIPPED chaos: it needs redis-server and postgres");
    tallies.push({ passed: 0, skipped: 1, failures: [] });
    return;
  }
  const args = ["--submissions", "300", "--kills", "30", "--seed", "7"];
  const command = ["scripts/chaos.ts", ...args];
  const { exitCode, endedBy } = await step("chaos", () => runCommand(process.execPath, command));
  if (exitCode === 0) tallies.push({ passed: 1, skipped: 0, failures: [] });
  else fail([`chaos ${args.join(" ")}${endedBy === null ? "" : ` (ended by ${endedBy})`}`]);
}

/** Packs and installs the client, and tries it: what npm installs is mostly waited for. */
function startPackedClient(): () => Promise<void> {
  const title = "packed client";
  const run = vitestRun("node", ["packed-client"]);
  const log = join(folder, "packed-client.log");
  const finish = startInBackground(title, log, run.command, run.args, run.options);
  return async () => {
    tallies.push(readTally(title, run.results, await finish()));
  };
}

async function vitest(title: string, runtime: Runtime, projects: readonly string[]): Promise<void> {
  const run = vitestRun(runtime, projects);
  const result = await step(title, () => runCommand(run.command, run.args, run.options));
  tallies.push(readTally(title, run.results, result));
}

function vitestRun(runtime: Runtime, projects: readonly string[]) {
  const results = join(folder, `${runtime}-${projects.join("-")}.ndjson`);
  const args = ["run", ...projects.map((project) => `--project=${project}`)];
  // One test of thousands must not hide what the others say. The summary names it.
  if (everything) args.push("--retry=1");
  if (filters.length > 0) args.push("--passWithNoTests", ...filters);
  const program = [...(runtime === "bun" ? ["--bun"] : []), join(bin, "vitest")];
  return {
    command: join(bin, runtime),
    args: [...program, ...args],
    options: {
      env: { [RESULTS_VARIABLE]: results, ...(runtimes.length > 1 ? { [UNDER_BOTH_VARIABLE]: "true" } : {}) },
      end: timeLimit(options.limit, "`npm test -- --limit <minutes>` changes it"),
    },
    results,
  };
}
