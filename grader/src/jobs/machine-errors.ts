import { systemCodeOf } from "@crowdai/shared/system-code";

/** Errors of a machine that has run out of something, or whose disk fails, as opposed to errors of a job. */
const CODES = ["ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EIO", "EROFS"];

/**
 * Such errors in an evaluator's output. Descriptors and memory are missing: an evaluator can use up its own.
 */
const IN_TEXT =
  /No space left on device|Disk quota exceeded|Too many open files in system|Read-only file system|Input\/output error|\b(?:ENOSPC|EDQUOT|ENFILE|EROFS|EIO)\b/i;

/** Returns whether the machine, not the job, causes the error. */
export function isMachineError(thrown: unknown): boolean {
  return CODES.includes(systemCodeOf(thrown) ?? "");
}

/** Returns whether the text of a failed evaluator names such an error. */
export function namesMachineError(text: string): boolean {
  return IN_TEXT.test(text);
}
