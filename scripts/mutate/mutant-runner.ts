import { join } from "node:path";
import { type File, startTests, type Test } from "@vitest/runner";
import { VitestTestRunner } from "vitest/runners";
import { root } from "../lib/root.ts";
import { forget, type LoadedModules } from "./forget-modules.ts";
import { addResult, FOLDER_VARIABLE, readPlan, readResults } from "./plan.ts";

/** The state that instrumented code reads and writes. */
interface Switch {
  activeMutant?: string;
  currentTestId?: string;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}

/**
 * How much longer than without a mutant a test may take, and may pass the mutant, before it counts as
 * endless.
 */
const PATIENCE = { factor: 10, ms: 3000, hits: 10 };
const LOAD = "while loading";
const HOOKS = "in hooks";

const folder = process.env[FOLDER_VARIABLE]!;
const shared = globalThis as { __stryker__?: Switch };
shared.__stryker__ ??= {};
const mutants = shared.__stryker__;
const patterns = new Map(
  Object.values(readPlan(folder).files).flatMap(({ mutants: all }) => all.map(({ id, file }) => [id, file])),
);

/**
 * Runs a test file as usual, noting which tests reach which mutants; then those tests again for each mutant
 * that is still alive.
 */
export default class MutantRunner extends VitestTestRunner {
  async onBeforeCollect(): Promise<void> {
    mutants.activeMutant = undefined;
    mutants.mutantCoverage = { static: {}, perTest: {} };
    mutants.currentTestId = LOAD;
    // Each file shows again which mutants it reaches while it loads.
    forget(this.modules(), [...new Set(patterns.values())].map(absolute));
  }

  async onBeforeRunFiles(): Promise<void> {
    mutants.currentTestId = HOOKS;
  }

  override async onBeforeRunTask(test: Test): Promise<void> {
    mutants.currentTestId = test.id;
    await super.onBeforeRunTask(test);
  }

  override onAfterRunTask(test: Test): void {
    mutants.currentTestId = HOOKS;
    super.onAfterRunTask(test);
  }

  override async onAfterRunFiles(files?: File[]): Promise<void> {
    mutants.currentTestId = undefined;
    for (const file of files ?? []) await this.runMutants(file);
    super.onAfterRunFiles();
  }

  private async runMutants(file: File): Promise<void> {
    const failure = firstFailure(file);
    if (failure !== null) return addResult(folder, { id: "", status: "failed", by: failure });
    const reached = mutants.mutantCoverage!.perTest;
    const tests = testsOf(file);
    const times = new Map(tests.map((test) => [test.id, test.result?.duration ?? 0]));
    const everyone = { ...reached[LOAD], ...reached[HOOKS] };
    const ids = new Set(Object.values(reached).flatMap((of) => Object.keys(of)));
    const done = new Map(readResults(folder).map(({ id, status }) => [id, status]));
    const patience = (of: readonly string[]) =>
      Math.max(0, ...of.map((id) => times.get(id)!)) * PATIENCE.factor + PATIENCE.ms;
    let dirty: string[] = [file.filepath];
    for (const id of ids) {
      const before = done.get(id);
      if (!patterns.has(id) || before === "killed" || before === "timeout") continue;
      const loaded = id in (reached[LOAD] ?? {});
      const path = absolute(patterns.get(id)!);
      const testIds =
        id in everyone
          ? tests.map((test) => test.id)
          : tests
              .filter((test) => id in (reached[test.id] ?? {}))
              .map((test) => test.id)
              .sort((a, b) => times.get(a)! - times.get(b)!);
      const hits = Object.values(reached).reduce((sum, of) => sum + (of[id] ?? 0), 0);
      if (loaded) dirty.push(path);
      addResult(folder, { id, status: "started" });
      forget(this.modules(), dirty);
      dirty = loaded ? [file.filepath, path] : [file.filepath];
      mutants.activeMutant = id;
      mutants.hitCount = 0;
      mutants.hitLimit = hits * PATIENCE.hits + 1000;
      const by = await this.again(file, testIds, patience(testIds));
      mutants.activeMutant = undefined;
      if (by === null) addResult(folder, { id, status: "survived" });
      else addResult(folder, { id, status: /timed out/i.test(by) ? "timeout" : "killed", by });
    }
    // A mutant that has left something behind must be seen.
    forget(this.modules(), dirty);
    const every = tests.map((test) => test.id);
    const afterwards = await this.again(file, every, patience(every));
    if (afterwards === null)
      addResult(folder, { id: "", status: "file", by: file.name, processorMs: processorMs() });
    else addResult(folder, { id: "", status: "failed", by: `after all mutants: ${afterwards}` });
  }

  /** Loads the file again and runs some of its tests to the first failure, which it returns. */
  private async again(file: File, testIds: string[], timeout: number): Promise<string | null> {
    const runner = new StoppingRunner({
      ...this.config,
      testTimeout: timeout,
      hookTimeout: timeout,
    } as VitestTestRunner["config"]);
    const { moduleRunner, _otel } = this as unknown as Record<string, unknown>;
    Object.assign(runner, { moduleRunner, _otel });
    const [again] = await startTests([{ filepath: file.filepath, testIds } as never], runner);
    if (testsOf(again!).length === 0 && firstFailure(again!) === null)
      throw new Error(`${file.name} declares no tests when it is loaded again`);
    return runner.failure ?? firstFailure(again!);
  }

  private modules(): LoadedModules {
    return (this as unknown as { workerState: { evaluatedModules: LoadedModules } }).workerState
      .evaluatedModules;
  }
}

/** Skips the rest after the first failure, and reports nothing. */
class StoppingRunner extends VitestTestRunner {
  failure: string | null = null;

  override onAfterRunTask(test: Test): void {
    super.onAfterRunTask(test);
    if (test.result?.state !== "fail") return;
    this.failure ??= failureOf(test);
    (this as unknown as { cancelRun: boolean }).cancelRun = true;
  }
  async onTaskUpdate(): Promise<void> {}
}

let counted = process.cpuUsage();
function processorMs(): number {
  const { user, system } = process.cpuUsage(counted);
  counted = process.cpuUsage();
  return (user + system) / 1000;
}

function absolute(file: string): string {
  return join(root, file);
}

function testsOf(task: { type: string; tasks?: unknown[] }): Test[] {
  if (task.type === "test") return [task as unknown as Test];
  return (task.tasks ?? []).flatMap((child) => testsOf(child as { type: string }));
}

interface Failed {
  name: string;
  result?: { state: string; errors?: { message: string }[] };
  tasks?: Failed[];
}

function firstFailure(task: Failed): string | null {
  for (const child of task.tasks ?? []) {
    const failure = firstFailure(child);
    if (failure !== null) return failure;
  }
  return task.result?.state === "fail" ? failureOf(task) : null;
}

function failureOf({ name, result }: Failed): string {
  return `${name}: ${result?.errors?.[0]?.message ?? "failed"}`;
}
