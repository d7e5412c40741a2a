import { CrowdaiError } from "@crowdai/shared";
import { type Fault, fault } from "../protocol/evaluator-failure.ts";
import type { ProcessEnd } from "./process.ts";

const OUT_OF_MEMORY =
  /\bMemoryError\b|std::bad_alloc|heap out of memory|OutOfMemoryError|[Cc]annot allocate memory|out of memory|memory allocation of \d+ bytes failed/;

/** The fault of a process that went away without a result and was not killed by the grader. */
export function faultOfProcessEnd(end: ProcessEnd, stderr: string): Fault {
  if (end.error) {
    // The organiser's command, as opposed to a machine that cannot start any process.
    if (end.error.code === "ENOENT" || end.error.code === "EACCES" || end.error.code === "ENOEXEC")
      return fault("evaluator_crashed", `could not be started: ${end.error.message}`);
    throw new CrowdaiError("unexpected", "No process could be started.", { cause: end.error });
  }
  const how = describeProcessEnd(end);
  if (end.code === 0) return fault("evaluator_silent", how);
  // The kernel's out-of-memory killer leaves nothing but its signal; the grader's own SIGKILL never comes here.
  if (end.signal === "SIGKILL" || end.code === 137)
    return fault("evaluator_memory", `${how}, probably out of memory`);
  if (OUT_OF_MEMORY.test(stderr)) return fault("evaluator_memory", how);
  return fault("evaluator_crashed", how);
}

export function describeProcessEnd(end: ProcessEnd): string {
  return end.signal ? `ended by ${end.signal}` : `exit code ${end.code}`;
}
