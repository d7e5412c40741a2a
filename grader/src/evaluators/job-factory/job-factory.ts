import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError, parseExact } from "@crowdai/shared";
import type { JobFactoryConfig } from "@crowdai/shared/challenge-folder";
import type { ReconnectingConnection } from "@crowdai/shared/queue/redis";
import type { Evaluation, Evaluator, Verdict } from "../protocol/evaluator.ts";
import { evaluatorFailure, timedOut } from "../protocol/evaluator-failure.ts";
import { createFactoryLists, type FactoryLists } from "./factory-lists.ts";
import { createNewMessages, readFactoryMessage } from "./factory-messages.ts";

/** The poll interval: short at first, for small jobs, then longer. */
const MIN_POLL_MS = 10;
const MAX_POLL_MS = 250;
/** How long a job's mark outlives its time limit, for a grader that restarts. */
const MARGIN_MS = 60_000;

/**
 * Uses a job factory of 2017: a program that takes jobs from a Redis list and pushes job states to a list
 * that each job names. Responses are read in place and removed when the job is done, so that none is lost.
 */
export function createJobFactoryEvaluator(config: JobFactoryConfig): Evaluator {
  const { redis: url, namespace } = config.job_factory;
  const timeoutMs = config.timeout_seconds * 1000;
  const running = new Set<Promise<unknown>>();
  let opened: Promise<{ connection: ReconnectingConnection; lists: FactoryLists }> | null = null;

  // Loaded only for challenges with a job factory.
  async function open() {
    const { connectionsTo, createReconnectingConnection } = await import("@crowdai/shared/queue/redis");
    const connection = createReconnectingConnection({ redis: connectionsTo(url).connect });
    return { connection, lists: createFactoryLists(connection, namespace, timeoutMs + MARGIN_MS) };
  }

  async function evaluate(job: Evaluation): Promise<Verdict> {
    opened ??= open();
    const factory = await opened.catch((error: Error) => error);
    if (factory instanceof Error)
      return evaluatorFailure("evaluator_crashed", `evaluator.job_factory.redis: ${factory.message}`);
    const { lists } = factory;
    const request = jobOf(job);
    const until = performance.now() + timeoutMs;
    let newMessages = createNewMessages();
    let pushed = false;
    let lastError: unknown = null;
    for (let pollMs = MIN_POLL_MS; performance.now() < until; pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS)) {
      try {
        // Also when Redis has lost its data.
        if (!pushed || !(await lists.isPending(job.id))) {
          if (await lists.push(job.id, request)) newMessages = createNewMessages();
          pushed = true;
        }
        for (const text of newMessages(await lists.messages(job.id))) {
          pollMs = MIN_POLL_MS;
          const event = readFactoryMessage(text, job.function, request.extra_params.dry_run);
          if (event && "kind" in event) {
            const left = Math.max(0, until - performance.now()) / 1000;
            const seconds = Math.min(config.score_timeout_seconds, left);
            const verdict = event.kind === "score elsewhere" ? await awaitScore(job, lists, seconds) : event;
            await lists.done(job.id);
            return verdict;
          }
          if (event) job.onEvent(event);
        }
        lastError = null;
      } catch (error) {
        if (job.signal.aborted) throw error;
        lastError = error;
      }
      await sleep(Math.max(1, Math.min(pollMs, until - performance.now() + 1)), undefined, {
        signal: job.signal,
      }).catch(() => {});
      if (job.signal.aborted) {
        await lists.withdraw(job.id, request).catch(() => {});
        throw job.signal.reason;
      }
    }
    await lists.withdraw(job.id, request).catch(() => {});
    await lists.done(job.id).catch(() => {});
    const late = timedOut(timeoutMs);
    return { ...late, detail: lastError ? `${late.detail}; the factory's Redis: ${lastError}` : late.detail };
  }

  return {
    async evaluate(job) {
      job.signal.throwIfAborted();
      const verdict = evaluate(job);
      running.add(verdict);
      try {
        return { verdict: await verdict, stderr: "" };
      } finally {
        running.delete(verdict);
      }
    },
    async close() {
      await Promise.allSettled(running);
      await opened?.then(
        ({ connection }) => connection.close(),
        () => {},
      );
    },
  };
}

/**
 * Waits for the score that the factory posts to the API. Once the submission is graded there, the broker
 * cancels the job, which rejects with the signal's reason.
 */
async function awaitScore(job: Evaluation, lists: FactoryLists, seconds: number): Promise<Verdict> {
  await sleep(seconds * 1000, undefined, { signal: job.signal }).catch(() => {});
  if (!job.signal.aborted) {
    const limit = `${Math.round(seconds)} s`;
    const detail = `the job factory completed the job without a score, and none came over the API within ${limit}`;
    return evaluatorFailure("evaluator_timeout", detail, `no score within ${limit}`);
  }
  // A grader that only stops leaves the answer to the next one.
  const { reason } = job.signal;
  const isStopping = reason instanceof CrowdaiError && reason.code === "interrupted";
  if (!isStopping) await lists.done(job.id).catch(() => {});
  throw reason;
}

/** Returns the job in the form that factories read. A file is given by its path on the grader's machine. */
function jobOf(job: Evaluation) {
  const {
    function: name,
    round,
    dry_run,
    input,
  } = parseExact(job.line, "data") as {
    function: string;
    round: number;
    dry_run: boolean;
    input: { path: string } | { data: unknown };
  };
  const isFile = "path" in input;
  return {
    function_name: isFile && name === "submit" ? "grade_submission" : name,
    data: isFile ? { file_key: input.path, submission_file_path: input.path, round } : input.data,
    data_sequence_no: 0,
    // In place of the participant's key, which is not revealed: the API accepts it for this submission.
    extra_params: { api_key: `submission-${job.id}`, job_id: job.id, round, dry_run },
  };
}
