import { isDeepStrictEqual } from "node:util";
import { CrowdaiError, parseJson } from "@crowdai/shared";
import type { Verdict } from "./evaluator.ts";
import { type LiveEvaluatorEvent, readEvent } from "./events.ts";
import { excerpt, fault } from "./fault.ts";

/** What a job factory says of a job, in the order it was said: of the words of a list before and now, those that are new. */
export function newWords(before: readonly string[], now: readonly string[]): string[] {
  const more = now.length - before.length;
  if (more <= 0) return [];
  const atHead = isDeepStrictEqual(now.slice(more), before);
  const atTail = isDeepStrictEqual(now.slice(0, before.length), before);
  // Factories push to either end. Where that cannot be seen yet, a last word is the newest.
  const headIsNewest = atHead && atTail ? !isLast(now.at(-1)!) || isLast(now[0]!) : atHead;
  return headIsNewest ? now.slice(0, more).reverse() : now.slice(before.length);
}

type Word = { state: string; message: string; data: unknown };

/** A word as progress or as the end; null for one that says nothing new. */
export function readWord(text: string, calledFunction: string): LiveEvaluatorEvent | Verdict | null {
  const word = wordOf(text);
  if (!word)
    return fault(
      "evaluator_output",
      `the job factory said: ${excerpt(Buffer.from(text))}`,
      "a job state of the wrong form",
    );
  const data = isObject(word.data) ? word.data : {};
  switch (word.state) {
    case "PROGRESS_UPDATE":
      return typeof data.percent_complete === "number"
        ? { type: "progress", percent: data.percent_complete, message: word.message || null }
        : null;
    case "INFO":
      return { type: "log", message: word.message };
    case "COMPLETE": {
      const { score, score_secondary, secondary_score } = data;
      const result = readEvent(
        {
          type: "result",
          ...{ score, score_secondary: score_secondary ?? secondary_score },
          message: word.message || null,
          data: word.data,
        },
        calledFunction,
      );
      return "kind" in result ? result : { kind: "result", result: result as never };
    }
    case "ERROR":
      return { kind: "rejected", message: word.message };
    case "TIMEOUT":
      return fault("evaluator_timeout", `the job factory gave up: ${word.message}`);
    default:
      return null;
  }
}

const STATES = ["ENQUEUED", "RUNNING", "PROGRESS_UPDATE", "INFO", "COMPLETE", "ERROR", "TIMEOUT"];
const LAST = ["COMPLETE", "ERROR", "TIMEOUT"];

/** Of `response_type: "CrowdAI.Event.Job.<STATE>"`, or the older `job_state: "crowdai.job_state.<STATE>"`. */
function wordOf(text: string): Word | null {
  let said: unknown;
  try {
    said = parseJson(text);
    // Some factories wrote JSON into a JSON string.
    if (typeof said === "string") said = parseJson(said);
  } catch (error) {
    if (error instanceof CrowdaiError) return null;
    throw error;
  }
  if (!isObject(said)) return null;
  const { response_type, job_state, message, data } = said;
  const state = String(response_type ?? job_state ?? "")
    .split(".")
    .at(-1)!
    .toUpperCase();
  if (!STATES.includes(state)) return null;
  return { state, message: message == null ? "" : String(message), data };
}

const isLast = (text: string): boolean => LAST.includes(wordOf(text)?.state ?? "");

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
