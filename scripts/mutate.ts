// `npm run mutate`: small changes of the core, one at a time, each of which some test must notice;
// docs/mutation-testing.md explains it.
import { parseArgs } from "node:util";
import { AREAS } from "./mutate/areas.ts";
import { runArea } from "./mutate/run-area.ts";
import { SURVIVORS } from "./mutate/survivors.ts";
import { type Tally, tally } from "./mutate/tally.ts";

const WANTED = 0.9;
const HELP = `npm run mutate -- [options] [area …]

Changes the source in memory, one place at a time (a mutant), and runs the tests that reach the place.
A mutant that no test notices survives: write the test, or simplify the code, or name it in scripts/mutate/survivors.ts.
Fails where an area kills less than ${WANTED * 100} % of its mutants, or a survivor is not named.

  --only <text>   mutate only the files of the area whose path contains the text
  --help

Areas (all by default):
${Object.entries(AREAS)
  .map(([name, { about }]) => `  ${name.padEnd(14)}${about}`)
  .join("\n")}
`;

const { only, areas } = readOptions();
const rows: string[][] = [];
let failed = false;
for (const name of areas) {
  const { mutants, results, seconds, processorSeconds } = await runArea(name, AREAS[name]!, only);
  const counts = tally(mutants, results, SURVIVORS);
  report(name, counts);
  const share = counts.killed / counts.mutants;
  failed ||= share < WANTED || counts.unnamed.length > 0 || counts.outdated.length > 0;
  failed ||= counts.failures.length > 0;
  rows.push([
    name,
    ...[counts.mutants, counts.killed, `${(share * 100).toFixed(1)} %`, counts.named].map(String),
    ...[seconds, processorSeconds].map((value) => value.toFixed(0)),
  ]);
}
console.log("| area | mutants | killed | share | survivors named | seconds | CPU s |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
process.exitCode = failed ? 1 : 0;

function report(name: string, { failures, unnamed, outdated, timeouts }: Tally): void {
  for (const failure of failures) console.log(`${name}: a test fails without a mutant: ${failure}`);
  for (const { file, line, source, change, reached } of unnamed)
    console.log(`${file}:${line}  ${reached ? "" : "(no test reaches it) "}${source}\n    ${change}`);
  for (const { file, source, change } of outdated)
    console.log(`${file}: named in survivors.ts, but does not survive: ${source}\n    ${change}`);
  if (timeouts > 0) console.log(`${name}: ${timeouts} killed because a test did not end`);
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { only: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const unknown = positionals.find((name) => !(name in AREAS));
    if (unknown !== undefined) throw new Error(`There is no area "${unknown}".`);
    return { only: values.only, areas: positionals.length > 0 ? positionals : Object.keys(AREAS) };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return process.exit(2);
  }
}
