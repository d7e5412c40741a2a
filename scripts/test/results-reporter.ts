import { appendFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule, TestSpecification } from "vitest/node";
import { root } from "../lib/root.ts";

/** A line of the results file. */
export type ResultLine =
  | { type: "planned"; files: string[] }
  | { type: "started"; file: string }
  | TestLine
  | { type: "finished"; file: string; error: string | null }
  | { type: "ended"; errors: string[] };

interface TestLine {
  type: "test";
  file: string;
  name: string;
  state: "passed" | "failed" | "skipped";
  /** Why it failed the first time, of a test that passed when it was run again. */
  flaky?: string;
}

/** Names the results file to vitest.config.ts. */
export const RESULTS_VARIABLE = "CROWDAI_TEST_RESULTS";

/**
 * Appends each result to a file as soon as it is known: vitest's own JSON report is written at the end, so
 * that a run that is ended early would leave nothing to count.
 */
export class ResultsReporter implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    writeFileSync(file, "");
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#append({ type: "planned", files: specifications.map(({ moduleId }) => relative(root, moduleId)) });
  }

  onTestModuleQueued(module: TestModule): void {
    this.#append({ type: "started", file: fileOf(module) });
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === "pending") return;
    // The reporter on the terminal shows no error of a test that passed in the end.
    const flaky = test.diagnostic()?.flaky ? { flaky: described(errors?.[0]) } : {};
    this.#append({ type: "test", file: fileOf(test.module), name: test.fullName, state, ...flaky });
  }

  onTestModuleEnd(module: TestModule): void {
    const errors = suiteErrors(module);
    this.#append({ type: "finished", file: fileOf(module), error: errors[0] ?? null });
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly { message: string }[]): void {
    this.#append({ type: "ended", errors: errors.map(({ message }) => firstLine(message)) });
  }

  #append(line: ResultLine): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function fileOf({ moduleId }: TestModule): string {
  return relative(root, moduleId);
}

/** Errors that belong to no test: a file that did not load, a hook that failed. */
function suiteErrors(module: TestModule): string[] {
  const suites = [module, ...module.children.allSuites()];
  return suites.flatMap((suite) => suite.errors()).map(({ message }) => firstLine(message));
}

function described(error: NonNullable<ReturnType<TestCase["result"]>["errors"]>[number] | undefined): string {
  if (!error) return "without an error";
  const place = error.stacks?.find(({ file }) => file.startsWith(root));
  return `${firstLine(error.message)}${place ? ` (${relative(root, place.file)}:${place.line})` : ""}`;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
