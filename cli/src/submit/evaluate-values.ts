import {
  asCrowdaiError,
  CrowdaiError,
  createSubmissionId,
  MAX_CALL_VALUES,
  parseExact,
  type Submission,
} from "@crowdai/shared";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { checkFunction } from "./check-function.ts";
import { follow } from "./follow.ts";
import { afterAcceptance, requireGraded } from "./grade.ts";
import { sendSubmission } from "./send-submission.ts";
import { describeValue, inputOfValue, isInline, type ValueDescription } from "./submission-input.ts";

/**
 * The answer of an evaluator function to one value.
 *
 * @example
 * const [answer] = await challenge.evaluate([value]);
 * console.log(answer.score, answer.data);
 */
export interface Answer {
  /** Id of the call, for `crowdai show` and `crowdai logs`. */
  id: string;
  score: number | null;
  score_secondary: number | null;
  data: unknown;
  message: string | null;
}

/**
 * The outcome for one value: an answer, or the error that the evaluator reported.
 *
 * @example
 * const failed = (await challenge.evaluateSettled(values)).filter((outcome) => !outcome.ok);
 */
export type Settled = { ok: true; answer: Answer } | { ok: false; error: CrowdaiError };

/**
 * Options of `Challenge.evaluate`.
 *
 * @example
 * const options: EvaluateOptions = { function: "classify", timeoutMs: 10_000 };
 */
export interface EvaluateOptions {
  /** Name of the evaluator function. Default: "evaluate". */
  function?: string;
  /** Id of the round. Default: the open round. */
  round?: string;
  /** Whether values are evaluated in parallel. Default: true. */
  parallel?: boolean;
  /** Rejects with `interrupted` when aborted. */
  signal?: AbortSignal;
  /** How long to wait for all answers, in milliseconds. Default: no limit. */
  timeoutMs?: number;
  /** Called after each answer. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

interface Item {
  index: number;
  id: string;
  text: string;
  size: number;
}

/** Keeps messages well below the limits of both sides. */
const BATCH_BYTES = 512 * 1024;
const AT_ONCE = MAX_CALL_VALUES;

/**
 * Calls a function once for each value and returns the outcomes in the order of the values. Throws if the
 * call as a whole is refused.
 */
export async function evaluateValues(
  session: BrokerSession,
  values: readonly ValueDescription[],
  options: EvaluateOptions & { broker: URL; agents?: Agents },
): Promise<Settled[]> {
  const challenge = session.opening.challenge!;
  const name = options.function ?? "evaluate";
  checkFunction(challenge, name);
  const items = values.map(
    ({ text, size }, index): Item => ({ index, id: createSubmissionId(), text, size }),
  );
  const settled: Settled[] = [];
  const until = performance.now() + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
  let done = 0;

  const settle = async (item: Item) => {
    settled[item.index] = await answerOf(session, item, until, options);
    done++;
    options.onProgress?.({ done, total: items.length });
  };
  const atOnce = options.parallel === false ? 1 : AT_ONCE;
  for (const group of groups(items, atOnce)) {
    const shared = { challenge: challenge.id, round: options.round ?? null, function: name };
    for (const batch of batches(group.filter(isInline)))
      await session.call(
        { ...shared, items: batch.map(({ id, text }) => ({ id, data: parseExact(text, "all") })) },
        options.signal,
      );
    for (const item of group.filter((one) => !isInline(one))) {
      const { input, source } = inputOfValue(item);
      await sendSubmission(session, {
        ...options,
        intent: { ...shared, id: item.id, input },
        source,
        follow: true,
      });
    }
    await Promise.all(group.map(settle));
  }
  return settled;
}

/** Describes the values of a program. Throws for the first one that is not JSON, with its index. */
export function describeValues(values: readonly unknown[]): ValueDescription[] {
  return values.map((value, index) => {
    try {
      return describeValue(value);
    } catch (thrown) {
      const error = asCrowdaiError(thrown);
      throw new CrowdaiError(error.code, `Value ${index}: ${error.message}`, {
        next: error.next,
        details: { ...error.details, index },
      });
    }
  });
}

async function answerOf(
  session: BrokerSession,
  item: Item,
  until: number,
  { signal }: EvaluateOptions,
): Promise<Settled> {
  try {
    const timeoutMs = Math.max(0, until - performance.now());
    const ended = requireGraded(await follow(session.watch(item.id, { signal }), { timeoutMs }));
    return { ok: true, answer: toAnswer(ended) };
  } catch (thrown) {
    const error = afterAcceptance(thrown, item.id);
    // Only a verdict belongs to one item; any other failure ends the wait for all.
    if (!(error instanceof CrowdaiError) || error.row.exit !== 6) throw error;
    return { ok: false, error };
  }
}

function toAnswer({ id, score, score_secondary, data, grading_message }: Submission): Answer {
  return { id, score, score_secondary, data: data ?? null, message: grading_message };
}

function* groups(items: readonly Item[], size: number): Generator<Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

function* batches(items: readonly Item[]): Generator<Item[]> {
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (batch.length > 0 && bytes + item.size > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.size;
  }
  if (batch.length > 0) yield batch;
}

/**
 * Returns all answers. Throws the first failure in the order of the values, with its index and the answers in
 * details.
 */
export function requireAnswers(settled: readonly Settled[]): Answer[] {
  return settled.map((result, index) => {
    if (result.ok) return result.answer;
    const { code, message, next, details } = result.error;
    throw new CrowdaiError(code, `Value ${index}: ${message}`, {
      next,
      details: { ...details, index, answers: settled.map((other) => (other.ok ? other.answer : null)) },
    });
  });
}
