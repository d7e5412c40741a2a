import { CrowdaiError } from "@crowdai/shared";
import { type EvaluatorFailure, evaluatorFailure } from "../protocol/evaluator-failure.ts";
import type { ProcessEnd } from "./evaluator-process.ts";

const OUT_OF_MEMORY =
  /\bMemoryError\b|std::bad_alloc|heap out of memory|OutOfMemoryError|[Cc]annot allocate memory|out of memory|memory allocation of \d+ bytes failed/;

/** Returns the failure of a process that exited without a result and was not killed by the grader. */
export function processEndFailure(end: ProcessEnd, stderr: string): EvaluatorFailure {
  if (end.outOfMemory)
    return evaluatorFailure("evaluator_memory", "its processes together exceeded the memory limit");
  if (end.error) {
    // The organizer's command is wrong. Other errors mean that the machine cannot start processes.
    if (end.error.code === "ENOENT" || end.error.code === "EACCES" || end.error.code === "ENOEXEC")
      return evaluatorFailure("evaluator_crashed", `failed to start: ${end.error.message}`);
    throw new CrowdaiError("unexpected", "Starting a process failed.", { cause: end.error });
  }
  const how = describeProcessEnd(end);
  if (end.code === 0) return evaluatorFailure("evaluator_silent", how);
  // The kernel's out-of-memory killer leaves only its signal. The grader's own SIGKILL is handled elsewhere.
  if (end.signal === "SIGKILL" || end.code === 137)
    return evaluatorFailure("evaluator_memory", `${how}, probably out of memory`);
  if (OUT_OF_MEMORY.test(stderr)) return evaluatorFailure("evaluator_memory", how);
  return evaluatorFailure("evaluator_crashed", how);
}

export function describeProcessEnd(end: ProcessEnd): string {
  return end.signal ? `killed by ${end.signal}` : `exit code ${end.code}`;
}
