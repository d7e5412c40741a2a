import { isExactNumber } from "@crowdai/shared";
import type { OutsideStatus } from "../../records/tables.ts";
import type { Parameters } from "./parameters.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";
import { STATUSES } from "./webapp-status.ts";

/** An external grader's verdict on a submission. Only `graded` has scores. */
export interface SentGrade {
  status: OutsideStatus;
  score: number | null;
  secondary: number | null;
  message: string | null;
}

/** Throws a Refusal for an unknown status, a failure without a reason, and a grade without a finite score. */
export function readGrade(parameters: Parameters): SentGrade {
  const sent = parameters.raw("grading_status");
  const status = STATUSES.find((known) => known === sent);
  if (!status) throw new Refusal(texts.statusUnknown);
  const text = parameters.text("grading_message");
  if (status === "failed" && text === null) throw new Refusal(texts.messageMissing);
  const message = text ?? (parameters.raw("grading_message") === "" ? "" : null);
  if (status !== "graded") return { status, score: null, secondary: null, message };
  const score = readScore(parameters, "score");
  if (score === null) throw new Refusal(texts.noNumber("score"));
  return { status, score, secondary: readScore(parameters, "score_secondary"), message };
}

const INTEGER = /^\s*-?\d+\s*$/;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** Reads a finite number; null when missing or blank. Refuses an integer that a double does not hold. */
function readScore(parameters: Parameters, name: string): number | null {
  const sent = parameters.raw(name);
  const value = isExactNumber(sent) ? sent.text : sent;
  if (value === undefined || (typeof value === "string" && value.trim() === "")) return null;
  const isNumber = typeof value === "number" || (typeof value === "string" && NUMBER.test(value));
  const number = isNumber ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw new Refusal(texts.noNumber(name));
  if (typeof value === "string" && INTEGER.test(value) && BigInt(value) !== BigInt(number))
    throw new Refusal(texts.integerTooLarge(name));
  return number === 0 ? 0 : number;
}
