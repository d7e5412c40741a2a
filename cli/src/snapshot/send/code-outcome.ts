import type { Submission } from "@crowdai/shared";

/**
 * The outcome of sending code; `reason` says why the broker does not have it. `final` is true if it cannot be
 * sent again later, because this machine could not store it.
 *
 * @example
 * const onCode = (outcome: CodeOutcome | null) => console.log(outcome?.state);
 */
export type CodeOutcome =
  | { state: "stored"; id: string; sent: boolean }
  | { state: "awaited"; id: string; reason: string; final?: boolean }
  | { state: "refused"; id: string; reason: string; by: "broker" | "proxy" };

/** Returns the submission as it is once its code has arrived. */
export function withOutcome<T extends Submission>(submission: T, outcome: CodeOutcome | null): T {
  const { code } = submission;
  if (code?.state !== "awaited" || outcome?.state !== "stored") return submission;
  return { ...submission, code: { ...code, state: "stored" } };
}
