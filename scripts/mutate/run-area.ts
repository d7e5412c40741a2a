import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import { runCommand } from "../lib/run-command.ts";
import { type Area, matchingFiles } from "./areas.ts";
import { type InstrumentedFile, instrument, loadInstrumenter, type Mutant } from "./instrument.ts";
import { addResult, FOLDER_VARIABLE, folderOf, planFile, type Result, readResults } from "./plan.ts";

/** Without a result for so long, the mutant that runs counts as endless, and the others go on in a new process. */
const STALLED_MS = 120_000;
const POLL_MS = 2000;

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
  let left = tests;
  while (left.length > 0) {
    writeFileSync(planFile(folder), JSON.stringify({ files, tests: left }));
    const stalled = await runVitest(folder, mutants.length);
    const soFar = readResults(folder);
    const last = soFar.at(-1);
    const isHung = last?.status === "started";
    if (isHung) addResult(folder, { id: last.id, status: "timeout", by: "the process hung or ended" });
    else if (stalled) throw new Error(`${name}: the tests hang without a mutant`);
    const filesDone = soFar.filter(({ status }) => status === "file" || status === "failed").length;
    left = isHung ? tests.slice(filesDone) : [];
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

/** Resolves to whether a mutant had to be ended from outside. */
async function runVitest(folder: string, total: number): Promise<boolean> {
  const controller = new AbortController();
  let known = readResults(folder).length;
  let changed = Date.now();
  const poll = setInterval(() => {
    const results = readResults(folder);
    if (results.length !== known) [known, changed] = [results.length, Date.now()];
    if (Date.now() - changed > STALLED_MS) controller.abort("a mutant that does not end");
    if (process.stderr.isTTY)
      process.stderr.write(`\r${new Set(results.map(({ id }) => id)).size} of ${total} `);
  }, POLL_MS);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const config = join(root, "scripts/mutate/vitest.config.ts");
  const { endedBy } = await runCommand(process.execPath, [vitest, "run", "--config", config], {
    env: { [FOLDER_VARIABLE]: folder },
    end: controller.signal,
  });
  clearInterval(poll);
  return endedBy !== null;
}
