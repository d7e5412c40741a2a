import { catalog, type ErrorCode } from "@crowdai/shared";

/** What an evaluator did wrong. `message` is for the participant and says only which kind; `detail` is the organiser's. */
export interface Fault {
  kind: "fault";
  code: ErrorCode;
  message: string;
  detail: string;
}

export function fault(code: ErrorCode, detail: string, which?: string): Fault {
  const title = catalog[code].title;
  return { kind: "fault", code, message: which ? `${title.replace(/\.$/, "")}: ${which}.` : title, detail };
}

export function timedOut(timeoutMs: number): Fault {
  const limit = `${timeoutMs / 1000} s`;
  return fault("evaluator_timeout", `not done after ${limit}`, `more than ${limit}`);
}

/** A line or part of one, short enough for a log. */
export function excerpt(bytes: Buffer): string {
  const text = bytes.subarray(0, 500).toString("utf8");
  return bytes.length > 500 ? `${text} … (${bytes.length} bytes)` : text;
}
