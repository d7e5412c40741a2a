import { setTimeout as sleep } from "node:timers/promises";
import { parseExact } from "@crowdai/shared";
import type { JobFactoryConfig } from "@crowdai/shared/challenge-folder";
import type { ReconnectingConnection } from "@crowdai/shared/queue/redis";
import type { Evaluation, Evaluator, Verdict } from "../protocol/evaluator.ts";
import { evaluatorFailure, timedOut } from "../protocol/evaluator-failure.ts";
import { createFactoryLists, type FactoryLists } from "./factory-lists.ts";
import { createNewMessages, readMessage } from "./factory-messages.ts";

/** The poll interval: short at first, for small jobs, then longer. */
const MIN_POLL_MS = 10;
const MAX_POLL_MS = 250;
/** How long a job's mark outlives its time limit, for a grader that restarts. */
const MARGIN_MS = 60_000;

/**
 * Uses a job factory of 2017: a program that takes jobs from a Redis list and pushes job states to a list that each job names.
 * Responses are read in place and removed when the job is done, so that none is lost.
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
          const event = readMessage(text, job.function);
          if (event && "kind" in event) {
            await lists.done(job.id);
            return event;
          }
          if (event) job.onEvent(event);
        }
        lastError = null;
      } catch (error) {
        lastError = error;
      }
      await sleep(Math.min(pollMs, until - performance.now() + 1), undefined, { signal: job.signal }).catch(
        () => {},
      );
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

/** Returns the job in the form that factories read. A file is given by its path on the grader's machine. */
function jobOf(job: Evaluation): object {
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
    // Factories require the field; the participant's identity is not revealed.
    extra_params: { api_key: "", job_id: job.id, round, dry_run },
  };
}
