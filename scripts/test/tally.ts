import { readFileSync } from "node:fs";
import type { CommandResult } from "../lib/run-command.ts";
import type { ResultLine } from "./results-reporter.ts";

export interface Tally {
  passed: number;
  skipped: number;
  /** Names of what failed, tests and steps alike. */
  failures: string[];
  /** Tests that failed, and passed when they were run again: the name of each, and the first failure. */
  flaky?: string[];
}

/**
 * Counts a vitest run from its results file. A run that was ended early counts the tests that had finished,
 * and names each file that had not. A run that ended badly for a reason that no test names is a failure too.
 */
export function readTally(run: string, resultsFile: string, { exitCode, endedBy }: CommandResult): Tally {
  const tally: Tally = { passed: 0, skipped: 0, failures: [] };
  const flaky: string[] = [];
  const fail = (problem: string) => tally.failures.push(`${run}: ${problem}`);
  const planned = new Set<string>();
  const running = new Map<string, number>();
  let complete = false;
  for (const line of readResults(resultsFile)) {
    if (line.type === "planned") for (const file of line.files) planned.add(file);
    if (line.type === "started") {
      planned.delete(line.file);
      running.set(line.file, 0);
    }
    if (line.type === "test") {
      running.set(line.file, (running.get(line.file) ?? 0) + 1);
      if (line.state === "passed") tally.passed++;
      else if (line.state === "skipped") tally.skipped++;
      else fail(line.name);
      if (line.flaky !== undefined) flaky.push(`${run}: ${line.name}: ${line.flaky}`);
    }
    if (line.type === "finished") {
      running.delete(line.file);
      if (line.error !== null) fail(`${line.file}: ${line.error}`);
    }
    if (line.type === "ended") {
      complete = true;
      for (const error of line.errors) fail(error);
    }
  }
  if (endedBy !== null) fail(`ended by ${endedBy}`);
  if (!complete) {
    for (const [file, tests] of running) fail(`${file} was running, ${tests} of its tests had finished`);
    for (const file of planned) fail(`${file} was not started`);
  }
  if (exitCode !== 0 && tally.failures.length === 0)
    fail(`vitest ended with exit code ${exitCode}, see its output above`);
  return flaky.length > 0 ? { ...tally, flaky } : tally;
}

function readResults(file: string): ResultLine[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  // The last line is cut off when vitest was killed while it wrote.
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ResultLine);
}

/** Returns the closing line of a whole run. Nothing tested counts as a failure. */
export function summarize(tallies: readonly Tally[]): { failures: string[]; flaky: string[]; line: string } {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const skipped = tallies.reduce((sum, tally) => sum + tally.skipped, 0);
  const failures = tallies.flatMap((tally) => tally.failures);
  if (passed + failures.length === 0) failures.push("no test was run");
  const flaky = tallies.flatMap((tally) => tally.flaky ?? []);
  const line = `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  return { failures, flaky, line };
}
