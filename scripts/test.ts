// `npm test`: everything that has to hold, on every runtime. Ends with `N passed, N failed` over all runs.
//
//   npm test                               the whole
//   npm test -- broker/src/rules           only these tests, without lint and types
//   npm test -- --runtime bun [filter]     only under Bun (or node)
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { check } from "./check.ts";
import { root } from "./root.ts";
import { isInstalled } from "./services/programs.ts";
import { runCommand, step } from "./step.ts";
import { installSystemPackages } from "./test/system-packages.ts";
import { readTally, summarize, type Tally } from "./test/tally.ts";

const RUNTIMES = ["node", "bun"] as const;
const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { runtime: { type: "string" } },
});
const runtimes = RUNTIMES.filter((runtime) => values.runtime === undefined || values.runtime === runtime);
if (runtimes.length === 0) {
  console.error(`--runtime is ${RUNTIMES.join(" or ")}, not ${values.runtime}`);
  process.exit(2);
}
const whole = filters.length === 0 && values.runtime === undefined;

const bin = join(root, "node_modules/.bin");
const reports = mkdtempSync(join(tmpdir(), "crowdai-test-"));
const tallies: Tally[] = [];

if (whole) {
  const missing = await step("system packages", installSystemPackages);
  if (process.env.CI === "true") fail(missing.map((program) => `system packages: ${program} is missing`));
  fail(await check());
}
if ((await step("build", () => runCommand(process.execPath, ["scripts/build.ts"]))) !== 0) fail(["build"]);
for (const runtime of runtimes) await vitest(`tests under ${runtime}`, runtime, "suite");
if (whole) await chaos();
if (whole || filters.some((filter) => filter.includes("packed-client")))
  await vitest("packed client", "node", "packed-client");
rmSync(reports, { recursive: true });

const { failures, line } = summarize(tallies);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
console.log(`\n${line}`);
process.exitCode = failures.length > 0 ? 1 : 0;

function fail(names: string[]): void {
  tallies.push({ passed: 0, skipped: 0, failures: names });
}

/** A fleet whose parts die, for about a minute; see docs/chaos.md. Counts as one test. */
async function chaos(): Promise<void> {
  if (!isInstalled("redis") || !isInstalled("postgres")) {
    console.log("\nSKIPPED chaos: it needs redis-server and postgres");
    tallies.push({ passed: 0, skipped: 1, failures: [] });
    return;
  }
  const args = ["--submissions", "300", "--kills", "30", "--seed", "7"];
  const exitCode = await step("chaos", () => runCommand(process.execPath, ["scripts/chaos.ts", ...args]));
  tallies.push({
    passed: exitCode === 0 ? 1 : 0,
    skipped: 0,
    failures: exitCode === 0 ? [] : [`chaos ${args.join(" ")}`],
  });
}

async function vitest(title: string, runtime: (typeof RUNTIMES)[number], project: string): Promise<void> {
  const report = join(reports, `${runtime}-${project}.json`);
  const args = [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  if (filters.length > 0) args.push("--passWithNoTests", ...filters);
  const program = join(bin, "vitest");
  const exitCode = await step(title, () =>
    runtime === "bun"
      ? runCommand(join(bin, "bun"), ["--bun", program, ...args])
      : runCommand(join(bin, "node"), [program, ...args]),
  );
  tallies.push(readTally(title, report, exitCode));
}
