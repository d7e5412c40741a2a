import { readFileSync } from "node:fs";

export interface Tally {
  passed: number;
  skipped: number;
  /** Names of what failed, tests and steps alike. */
  failures: string[];
}

/** The part of vitest's JSON report that counts. */
interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** Counts a vitest run from its JSON report. A run that ended badly for a reason no test names is a failure too. */
export function readTally(run: string, reportFile: string, exitCode: number): Tally {
  const tally: Tally = { passed: 0, skipped: 0, failures: [] };
  for (const file of readReport(reportFile)?.testResults ?? []) {
    const before = tally.failures.length;
    for (const { fullName, status } of file.assertionResults) {
      if (status === "passed") tally.passed++;
      else if (status === "failed") tally.failures.push(`${run}: ${fullName}`);
      else tally.skipped++;
    }
    if (file.status === "failed" && tally.failures.length === before)
      tally.failures.push(`${run}: ${file.name} did not load: ${file.message?.split("\n")[0] ?? ""}`);
  }
  if (exitCode !== 0 && tally.failures.length === 0)
    tally.failures.push(`${run}: vitest ended with exit code ${exitCode}, see its output above`);
  return tally;
}

function readReport(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return null;
  }
}

/** The closing line of a whole run. Nothing tested counts as a failure. */
export function summarize(tallies: readonly Tally[]): { failures: string[]; line: string } {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const skipped = tallies.reduce((sum, tally) => sum + tally.skipped, 0);
  const failures = tallies.flatMap((tally) => tally.failures);
  if (passed + failures.length === 0) failures.push("no test was run");
  const line = `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  return { failures, line };
}
