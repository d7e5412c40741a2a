import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import type { InstrumentedFile } from "./instrument.ts";

/** Where an area's plan and results are; the vitest process reads it from its environment. */
export const FOLDER_VARIABLE = "CROWDAI_MUTATE_FOLDER";

/** One run of an area. */
export interface Plan {
  files: Record<string, InstrumentedFile>;
  /** Absolute paths, in the order in which they run. */
  tests: string[];
}

/** A line of the results. A mutant without one was reached by no test. */
export type Result =
  /** About to run: where the process then ends or hangs, this mutant did it. */
  | { id: string; status: "started" }
  | { id: string; status: "killed" | "timeout" | "survived"; by?: string }
  /** A test fails without any mutant. */
  | { id: ""; status: "failed"; by: string }
  /**
   * All mutants that this test file reaches are done; the processor time is that of the process since the
   * file before.
   */
  | { id: ""; status: "file"; by: string; processorMs: number };

export const folderOf = (area: string): string => join(root, "node_modules/.mutate/areas", area);
export const planFile = (folder: string): string => join(folder, "plan.json");
const resultsFile = (folder: string) => join(folder, "results.jsonl");

export function readPlan(folder: string): Plan {
  return JSON.parse(readFileSync(planFile(folder), "utf8"));
}

export function readResults(folder: string): Result[] {
  if (!existsSync(resultsFile(folder))) return [];
  const lines = readFileSync(resultsFile(folder), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

export function addResult(folder: string, result: Result): void {
  appendFileSync(resultsFile(folder), `${JSON.stringify(result)}\n`);
}
