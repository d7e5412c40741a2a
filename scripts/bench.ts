// `npm run bench`: the figures that were promised, measured on this machine; docs/benchmarks.md explains it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exitWhenInterrupted } from "./bench/cleanup.ts";
import { runContained } from "./bench/contained.ts";
import { busy, machineName, measureFloor } from "./bench/machine.ts";
import { PROGRAM_MISSING } from "./bench/measure-once.ts";
import { chosenMeasures } from "./bench/measures.ts";
import {
  type BenchReport,
  busyLine,
  comparison,
  figureLine,
  floorLine,
  type Group,
  readReport,
} from "./bench/report.ts";
import { combine, isSteady, STEADY_PERCENT } from "./bench/steady.ts";
import { readOptions } from "./lib/read-options.ts";
import ensureBuilt from "./test/ensure-built.ts";
import { installSystemPackages, REQUIRED_PROGRAMS } from "./test/system-packages.ts";

/** A group that has not ended by then never does. */
const LIMIT_MS = 10 * 60_000;
/** A group is repeated until it is steady, but for no longer than this. */
const BUDGET_MS = 5 * 60_000;
const MAX_ROUNDS = 9;

const HELP = `npm run bench -- [options] [group …]
npm run bench -- --compare <file> <file>

Measures all groups of figures, or those that are named, until they are steady.

  --once         one round of each
  --json <file>  writes the figures
  --compare      compares two such files
  --help`;

const { values, positionals } = readOptions(HELP, {
  allowPositionals: true,
  options: { json: { type: "string" }, compare: { type: "boolean" }, once: { type: "boolean" } },
});
if (values.compare) {
  const [first, second, ...more] = positionals;
  if (first === undefined || second === undefined || more.length > 0)
    refuse("--compare takes two files that --json has written");
  console.log(comparison(readReport(first), readReport(second)).join("\n"));
  process.exit(0);
}
const names = chosen();

/** The programs whose versions are printed with the figures. */
const PROGRAMS = [
  ...REQUIRED_PROGRAMS.filter(({ program }) => /^(redis-server|postgres|swift-.*|memcached)$/.test(program)),
  { program: "aws", debian: "awscli", without: "uploads beside aws s3 cp" },
  { program: "rclone", debian: "rclone", without: "uploads beside rclone" },
  { program: "bwrap", debian: "bubblewrap", without: "boxes" },
  { program: "runc", debian: "runc", without: "boxes beside runc" },
];
installSystemPackages(PROGRAMS);
await ensureBuilt();

exitWhenInterrupted();
const report: BenchReport = {
  date: new Date().toISOString().slice(0, 10),
  runtime: process.versions.bun ? `Bun ${process.versions.bun}` : `Node.js ${process.versions.node}`,
  machine: machineName(),
  floor: await measureFloor(),
  groups: [],
};
console.log(`${report.date}, ${report.runtime}\n${report.machine}`);
console.log(`${floorLine(report.floor)}\n`);
for (const name of names) {
  const group = await measureGroup(name);
  report.groups.push(group);
  for (const figure of group.figures) console.log(figureLine(figure));
  const rounds = group.figures[0]?.rounds.length ?? 0;
  const steady = group.steady
    ? "steady"
    : `not steady: one round moves a median by more than ${STEADY_PERCENT} %`;
  const verdict = values.once ? "one round" : `${rounds} rounds, ${steady}`;
  console.log(`  (${name}: ${verdict}; ${busyLine(group.before)} before, ${busyLine(group.after)} after)`);
  if (group.problem !== null) console.log(`  ${name} FAILED: ${group.problem}`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.groups.some(({ problem }) => problem !== null) ? 1 : 0;

async function measureGroup(name: string): Promise<Group> {
  const before = await busy();
  const rounds: Group["figures"][] = [];
  const began = performance.now();
  let problem: string | null = null;
  let longest = 0;
  do {
    const started = performance.now();
    const script = join(import.meta.dirname, "bench/measure-once.ts");
    const round = await runContained(script, [name], { limitMs: LIMIT_MS });
    if (round.exitCode === PROGRAM_MISSING) process.exit(PROGRAM_MISSING);
    problem = round.problem;
    if (round.figures.length > 0) rounds.push(combine([round.figures]));
    longest = Math.max(longest, performance.now() - started);
  } while (
    problem === null &&
    !values.once &&
    !isSteady(combine(rounds)) &&
    rounds.length < MAX_ROUNDS &&
    performance.now() - began + longest < BUDGET_MS
  );
  const figures = combine(rounds);
  return { name, figures, steady: isSteady(figures), before, after: await busy(), problem };
}

function chosen(): string[] {
  try {
    return chosenMeasures(positionals);
  } catch (error) {
    refuse((error as Error).message);
  }
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
