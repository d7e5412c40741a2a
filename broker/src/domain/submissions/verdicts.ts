import type { ErrorCode } from "@crowdai/shared";

/**
 * Failures of the submission itself, on private data. Those of a build or a sample run reveal nothing of it.
 */
const VERDICTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "rejected",
  "code_crashed",
  "code_timeout",
  "code_cpu",
  "code_memory",
  "code_output",
  "output_missing",
  "output_invalid",
  "agent_protocol",
  "agent_timeout",
  "session_abandoned",
]);

/** Returns whether a failure is a verdict on the submission, which charges its slot as a grade does. */
export const isVerdict = (code: ErrorCode): boolean => VERDICTS.has(code);
