import { catalog, type ErrorCode } from "@crowdai/shared";

/**
 * A failure of the evaluator. `message`, for the participant, names only its kind; `detail` is for the
 * organizer.
 */
export interface EvaluatorFailure {
  kind: "failure";
  code: ErrorCode;
  message: string;
  detail: string;
}

export function evaluatorFailure(code: ErrorCode, detail: string, which?: string): EvaluatorFailure {
  const title = catalog[code].title;
  return { kind: "failure", code, message: which ? `${title.replace(/\.$/, "")}: ${which}.` : title, detail };
}

export function timedOut(timeoutMs: number): EvaluatorFailure {
  const limit = `${timeoutMs / 1000} s`;
  return evaluatorFailure("evaluator_timeout", `no result after ${limit}`, `more than ${limit}`);
}

/** Returns a line, truncated for a log, without a final score, which must not become known. */
export function excerpt(bytes: Buffer): string {
  const text = bytes
    .subarray(0, 500)
    .toString("utf8")
    .replaceAll(/(score_final\W{0,20}?:)(\s*\\?"[^"]*|[^,}]*)/g, "$1 (hidden)");
  return bytes.length > 500 ? `${text} … (${bytes.length} bytes)` : text;
}
