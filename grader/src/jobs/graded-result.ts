import type { Outcome } from "@crowdai/shared";
import type { Verdict } from "../evaluators/protocol/evaluator.ts";
import type { ResultEvent } from "../evaluators/protocol/events.ts";

export interface Graded {
  outcome: Outcome;
  organizerLog: string;
  /** The part of the log that is not of the submitted code. It may name an error of this machine. */
  evaluatorLog: string;
}

/** The most bytes of an organizer's log. */
export const MAX_LOG = 128 * 1024;

/** Names the fields that a result could not have, for the organizer. */
export function notFiniteNotice(verdict: Pick<Verdict, "kind"> & { result?: ResultEvent }): string {
  const fields = verdict.result?.notFinite ?? [];
  if (fields.length === 0) return "";
  const named = fields.slice(0, MAX_NAMED).join(", ");
  const more = fields.length > MAX_NAMED ? ` and ${fields.length - MAX_NAMED} more` : "";
  return `${named}${more}: NaN or Infinity, which JSON cannot represent, was stored as null`;
}
const MAX_NAMED = 20;

/** Turns minus zero into zero, so that equal scores tie. */
function plainNumber(value: number | null | undefined): number | null {
  return value == null ? null : value + 0;
}

/** Returns the fields of a result that an outcome takes over. `text` makes its message fit to be shown. */
export function gradeOf(result: ResultEvent, text: (raw: string) => string) {
  const { score, score_secondary, score_final, message, meta, data } = result;
  return {
    score: plainNumber(score),
    score_secondary: plainNumber(score_secondary),
    ...(score_final == null ? {} : { score_final: plainNumber(score_final) }),
    message: message == null ? null : text(message),
    meta: meta ?? {},
    data: data ?? null,
  };
}
