import { readFileSync } from "node:fs";
import type { Busy, Floor } from "./machine.ts";
import type { Repeated } from "./steady.ts";

/** The report that `--json` writes and `--compare` reads. */
export interface BenchReport {
  date: string;
  runtime: string;
  machine: string;
  floor: Floor;
  groups: Group[];
}

export interface Group {
  name: string;
  figures: Repeated[];
  steady: boolean;
  before: Busy;
  after: Busy;
  /** The problem in words. */
  problem: string | null;
}

export function readReport(path: string): BenchReport {
  const report = JSON.parse(readFileSync(path, "utf8")) as Partial<BenchReport>;
  if (!Array.isArray(report.groups) || report.floor === undefined)
    throw new Error(`${path} was not written by this release's \`npm run bench -- --json\``);
  return report as BenchReport;
}

export function figureLine({ name, value, unit, target, met, rounds, moves }: Repeated): string {
  const verdict = target ? `   ${target}: ${met ? "met" : "MISSED"}` : "";
  const spread = rounds.length > 1 ? `   ± ${moves.toFixed(0)} %` : "";
  return `${name.padEnd(46)}${shown(value).padStart(10)} ${unit}${spread}${verdict}`;
}

export const busyLine = ({ other, steal, load }: Busy): string =>
  `other work ${other.toFixed(0)} %, stolen ${steal.toFixed(0)} %, load ${load.toFixed(1)}`;

export const floorLine = ({ program, line, write }: Floor): string =>
  `an empty program ${program.toFixed(0)} ms, a line to a process and back ${line.toFixed(3)} ms, a page to disk ${write.toFixed(2)} ms`;

/** Two reports side by side: each figure of both, and how the second differs from the first, in percent. */
export function comparison(first: BenchReport, second: BenchReport): string[] {
  const lines = [
    `${"".padEnd(46)}${first.date.padStart(12)}${second.date.padStart(12)}`,
    ...(["program", "line", "write"] as const).map((part) =>
      compared(`floor: ${FLOOR_NAMES[part]}`, "ms", first.floor[part], second.floor[part]),
    ),
  ];
  if (first.machine !== second.machine) lines.unshift(`${first.machine}\n${second.machine}\n`);
  for (const group of second.groups) {
    const before = first.groups.find(({ name }) => name === group.name);
    if (before === undefined) continue;
    const unsteady = [before, group].some(({ steady }) => !steady) ? " (not steady)" : "";
    lines.push("", `${group.name}${unsteady}`);
    group.figures.forEach((figure, at) => {
      const other = before.figures[at];
      if (other?.name === figure.name)
        lines.push(compared(figure.name, figure.unit, other.value, figure.value));
    });
  }
  return lines;
}

const FLOOR_NAMES = {
  program: "an empty program",
  line: "a line to a process and back",
  write: "a page to disk",
};

function compared(name: string, unit: string, first: number, second: number): string {
  const change =
    first === 0 ? "" : `${second >= first ? "+" : ""}${((100 * (second - first)) / first).toFixed(0)} %`;
  return `${name.padEnd(46)}${shown(first).padStart(12)}${shown(second).padStart(12)} ${unit.padEnd(8)}${change.padStart(7)}`;
}

const shown = (value: number): string => value.toFixed(value < 1 ? 3 : value < 100 ? 2 : 0);
