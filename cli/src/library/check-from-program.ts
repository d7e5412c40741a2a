import type { HttpClient } from "../client/http/http-client.ts";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { inspectFile } from "../client/upload/byte-source.ts";
import { checkInput } from "../submit/check-input.ts";
import type { FollowOptions } from "../submit/follow.ts";
import { type CheckReport, runCheck } from "../submit/run-check.ts";
import { describeValue, inputOfFile, inputOfValue } from "../submit/submission-input.ts";
import { tryCheck } from "../submit/try-check.ts";

/**
 * Options of `Challenge.check`.
 *
 * @example
 * const options: CheckOptions = { local: true };
 */
export interface CheckOptions extends FollowOptions {
  /** Name of the file, for a stream. Default: "predictions". */
  name?: string;
  /** Whether nothing is sent, so that the evaluator's own check is left out. Default: false. */
  local?: boolean;
  /** Id or number of the round in which the evaluator checks the input. Default: the open round. */
  round?: string | number;
  /** Rejects with `interrupted` when aborted. */
  signal?: AbortSignal;
}

/**
 * The result of a check that found no problems.
 *
 * @example
 * const { passed } = await challenge.check({ file: "predictions.csv" });
 */
export interface CheckResult {
  ok: true;
  /** The rules that it passes, one sentence each. */
  passed: string[];
  /** Parts that were not checked, and why. */
  skipped: string[];
  /** The trial on a grader; null when the evaluator has no check, or `local` is set. */
  trial: { id: string; message: string | null } | null;
}

type Means = CheckOptions & { broker: URL; agents: Agents | undefined; http: HttpClient };

/** Checks a file or a value of a program. */
export async function checkInputOfProgram(
  session: BrokerSession,
  given: { file: string; name?: string } | { value: unknown },
  options: Means,
): Promise<CheckResult> {
  const challenge = session.opening.challenge!;
  const { signal, http, onProgress } = options;
  const facts = "file" in given ? await inspectFile(given.file, given.name) : null;
  const described = facts
    ? { kind: "file" as const, ...facts }
    : describeValue((given as { value: unknown }).value);
  const passed = await checkInput(challenge, described);
  const value = "value" in described ? described.value : undefined;
  const report: CheckReport = await runCheck(challenge, facts ?? { value }, { http, signal });
  const result = { ok: true as const, passed: [...passed, ...report.passed], skipped: report.skipped };
  const called = challenge.check?.function;
  if (!called) return { ...result, trial: null };
  if (options.local) {
    const skipped = [...result.skipped, "the evaluator's check, which runs on a grader, was not called"];
    return { ...result, skipped, trial: null };
  }
  const onHash = (done: number, total: number) => onProgress?.({ stage: "hashing", done, total });
  const offer = facts
    ? await inputOfFile(facts, { signal, onProgress: onHash })
    : inputOfValue(described as ReturnType<typeof describeValue>);
  const { id, grading_message: message } = await tryCheck(session, offer, options);
  return { ...result, passed: [...result.passed, "the evaluator's check passes"], trial: { id, message } };
}
