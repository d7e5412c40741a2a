import { isDeepStrictEqual } from "node:util";
import { CrowdaiError, parseLenientJson } from "@crowdai/shared";
import type { Verdict } from "../protocol/evaluator.ts";
import { evaluatorFailure, excerpt } from "../protocol/evaluator-failure.ts";
import { type LiveEvaluatorEvent, readEvent } from "../protocol/events.ts";

/**
 * Takes the complete list of a job factory's messages at each poll, and returns those that it has not
 * returned before.
 */
export type NewMessages = (messages: readonly string[]) => string[];

/**
 * Returns the messages of one list in the order in which they were sent. Factories push to either end. Which
 * end shows when the list has grown, or when the job's last message is at one end. Until then, several
 * messages are held back.
 */
export function createNewMessages(): NewMessages {
  let before: readonly string[] = [];
  let returned = 0;
  let newest: "head" | "tail" | null = null;
  return (messages) => {
    newest ??= newestOf(before, messages);
    before = messages;
    if (newest === null && messages.length > 1) return [];
    const unread = (newest === "head" ? messages.toReversed() : messages).slice(returned);
    returned = Math.max(returned, messages.length);
    return unread;
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
    // With a final message at both ends, either order ends the job.
    if (head || tail) return tail ? "tail" : "head";
  }
  return null;
}

type JobStateMessage = { state: string; message: string; data: unknown; notFinite: readonly string[] };

/** The job is complete, and its score comes over the API. */
export interface ScoreElsewhere {
  kind: "score elsewhere";
}

/**
 * Parses a message as progress, log or verdict. Null for a message without news. A dry run has no score to
 * come.
 */
export function readFactoryMessage(
  text: string,
  calledFunction: string,
  dryRun = false,
): LiveEvaluatorEvent | Verdict | ScoreElsewhere | null {
  const parsed = parseMessage(text);
  if (!parsed)
    return evaluatorFailure(
      "evaluator_output",
      `the job factory sent: ${excerpt(Buffer.from(text))}`,
      "an invalid job state",
    );
  const data = isObject(parsed.data) ? parsed.data : {};
  switch (parsed.state) {
    case "PROGRESS_UPDATE":
      return typeof data.percent_complete === "number"
        ? { type: "progress", percent: data.percent_complete, message: parsed.message || null }
        : null;
    case "INFO":
      return { type: "log", message: parsed.message };
    case "COMPLETE": {
      // The final score is hidden, unlike everything else in the data.
      const { score_final, ...shown } = data;
      const { score, score_secondary, secondary_score } = shown;
      const hasNone = score == null && !parsed.notFinite.includes("data.score");
      if (calledFunction === "submit" && !dryRun && hasNone) return { kind: "score elsewhere" };
      const result = readEvent(
        {
          fields: {
            type: "result",
            ...{ score, score_secondary: score_secondary ?? secondary_score, score_final },
            message: parsed.message || null,
            data: isObject(parsed.data) ? shown : parsed.data,
          },
          notFinite: parsed.notFinite.map(
            (path) => /^data\.(score(?:_secondary|_final)?)$/.exec(path)?.[1] ?? path,
          ),
        },
        dryRun ? "" : calledFunction,
      );
      return "kind" in result ? result : { kind: "result", result: result as never };
    }
    case "ERROR":
      return { kind: "rejected", message: parsed.message };
    case "TIMEOUT":
      return evaluatorFailure("evaluator_timeout", `the job factory timed out: ${parsed.message}`);
    default:
      return null;
  }
}

const STATES = ["ENQUEUED", "RUNNING", "PROGRESS_UPDATE", "INFO", "COMPLETE", "ERROR", "TIMEOUT"];
const LAST = ["COMPLETE", "ERROR", "TIMEOUT"];

/**
 * Accepts `response_type: "CrowdAI.Event.Job.<STATE>"` and the older
 * `job_state: "crowdai.job_state.<STATE>"`.
 */
function parseMessage(text: string): JobStateMessage | null {
  let fields: unknown;
  let notFinite: readonly string[];
  try {
    ({ value: fields, notFinite } = parseLenientJson(text));
    // Some factories encode the JSON twice.
    if (typeof fields === "string") ({ value: fields, notFinite } = parseLenientJson(fields));
  } catch (error) {
    if (error instanceof CrowdaiError) return null;
    throw error;
  }
  if (!isObject(fields)) return null;
  const { response_type, job_state, message, data } = fields;
  const state = String(response_type ?? job_state ?? "")
    .split(".")
    .at(-1)!
    .toUpperCase();
  if (!STATES.includes(state)) return null;
  return { state, message: message == null ? "" : String(message), data, notFinite };
}

/** An invalid message counts as the last one, because it fails the job. */
const isLast = (text: string): boolean => {
  const parsed = parseMessage(text);
  return parsed === null || LAST.includes(parsed.state);
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
