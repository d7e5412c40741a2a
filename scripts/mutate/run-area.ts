import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import { runCommand } from "../lib/run-command.ts";
import { type Area, matchingFiles } from "./areas.ts";
import { type InstrumentedFile, instrument, loadInstrumenter, type Mutant } from "./instrument.ts";
import { addResult, FOLDER_VARIABLE, folderOf, planFile, type Result, readResults } from "./plan.ts";

/**
 * Without a result for so long, the mutant that runs counts as endless, and the others go on in a new
 * process.
 */
const STALLED_MS = 60_000;
/** Loading a broker for the first time takes long on a busy machine. */
const STARTING_MS = 600_000;
const POLL_MS = 1000;

export interface AreaRun {
  mutants: Mutant[];
  results: Result[];
  seconds: number;
  processorSeconds: number;
}

/** Runs an area's tests against its mutants, or against those of the files whose path contains `only`. */
export async function runArea(name: string, area: Area, only: string | undefined): Promise<AreaRun> {
  const began = performance.now();
  const instrumenter = await loadInstrumenter();
  const files: Record<string, InstrumentedFile> = {};
  for (const file of matchingFiles(area.files).filter((path) => only === undefined || path.includes(only)))
    files[file] = await instrument(instrumenter, file);
  const mutants = Object.values(files).flatMap((file) => file.mutants);
  if (mutants.length === 0) throw new Error(`No file of ${name} contains ${only}.`);
  const tests = matchingFiles(area.tests).map((path) => join(root, path));
  const folder = folderOf(name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let left = tests; left.length > 0; left = tests.slice(filesDone(readResults(folder)))) {
    writeFileSync(planFile(folder), JSON.stringify({ files, tests: left }));
    await runVitest(folder, tests.length, mutants.length);
    const soFar = readResults(folder);
    const last = soFar.at(-1);
    if (last?.status === "started")
      addResult(folder, { id: last.id, status: "timeout", by: "the process hung or ended" });
    else if (filesDone(soFar) < tests.length)
      throw new Error(`${name}: the tests end early without a mutant`);
  }
  const results = readResults(folder);
  return {
    mutants,
    results,
    seconds: (performance.now() - began) / 1000,
    processorSeconds:
      results.reduce((sum, result) => sum + (result.status === "file" ? result.processorMs : 0), 0) / 1000,
  };
}

/** Runs the tests until all of their files are done, or a mutant hangs. */
async function runVitest(folder: string, files: number, total: number): Promise<void> {
  const controller = new AbortController();
  let known = readResults(folder).length;
  let changed = Date.now();
  let patience = STARTING_MS;
  const poll = setInterval(() => {
    const results = readResults(folder);
    if (results.length !== known) [known, changed, patience] = [results.length, Date.now(), STALLED_MS];
    // A mutant may have left something behind for which vitest would wait.
    if (filesDone(results) === files) controller.abort("done");
    if (Date.now() - changed > patience) controller.abort("stalled");
    if (process.stderr.isTTY)
      process.stderr.write(`\r${new Set(results.map(({ id }) => id)).size} of ${total} `);
  }, POLL_MS);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const config = join(root, "scripts/mutate/vitest.config.ts");
  await runCommand(process.execPath, [vitest, "run", "--config", config], {
    env: { [FOLDER_VARIABLE]: folder },
    end: controller.signal,
  });
  clearInterval(poll);
}

function filesDone(results: readonly Result[]): number {
  return results.filter(({ status }) => status === "file" || status === "failed").length;
}
