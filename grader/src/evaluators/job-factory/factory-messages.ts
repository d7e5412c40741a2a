import { isDeepStrictEqual } from "node:util";
import { CrowdaiError, parseJson } from "@crowdai/shared";
import type { Verdict } from "../protocol/evaluator.ts";
import { excerpt, fault } from "../protocol/evaluator-failure.ts";
import { type LiveEvaluatorEvent, readEvent } from "../protocol/events.ts";

/** Takes the list of what a job factory has said so far, each time it is looked at, and gives what was not told before. */
export type NewMessages = (said: readonly string[]) => string[];

/**
 * The words of one list in the order in which they were said. Factories push to either end: which one shows when the
 * list has grown, or when the last word of the job stands at one end. Until it shows, several words are kept back.
 */
export function createNewMessages(): NewMessages {
  let before: readonly string[] = [];
  let told = 0;
  let newest: "head" | "tail" | null = null;
  return (said) => {
    newest ??= newestOf(before, said);
    before = said;
    if (newest === null && said.length > 1) return [];
    const words = (newest === "head" ? said.toReversed() : said).slice(told);
    told = Math.max(told, said.length);
    return words;
  };
}

function newestOf(before: readonly string[], now: readonly string[]): "head" | "tail" | null {
  const more = now.length - before.length;
  if (before.length > 0 && more > 0) {
    const headIsNewest = isDeepStrictEqual(now.slice(more), before);
    const tailIsNewest = isDeepStrictEqual(now.slice(0, before.length), before);
    if (headIsNewest !== tailIsNewest) return headIsNewest ? "head" : "tail";
  }
  if (now.length > 1) {
    const [head, tail] = [isLast(now[0]!), isLast(now.at(-1)!)];
    // With a last word at either end, either order ends the job.
    if (head || tail) return tail ? "tail" : "head";
  }
  return null;
}

type JobStateMessage = { state: string; message: string; data: unknown };

/** A word as progress or as the end; null for one that says nothing new. */
export function readMessage(text: string, calledFunction: string): LiveEvaluatorEvent | Verdict | null {
  const word = parseMessage(text);
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
function parseMessage(text: string): JobStateMessage | null {
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

/** Also what nobody can read: it ends the job. */
const isLast = (text: string): boolean => {
  const word = parseMessage(text);
  return word === null || LAST.includes(word.state);
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
