import { setTimeout as sleep } from "node:timers/promises";
import type { JobFactoryConfig } from "@crowdai/shared/challenge-folder";
import type { ReconnectingConnection } from "@crowdai/shared/queue/redis";
import type { Evaluation, Evaluator, Verdict } from "../protocol/evaluator.ts";
import { fault, timedOut } from "../protocol/evaluator-failure.ts";
import { createFactoryLists, type FactoryLists } from "./factory-lists.ts";
import { createNewMessages, readMessage } from "./factory-messages.ts";

/** How often an answer is looked for: soon at first, for small jobs, and then at leisure. */
const MIN_POLL_MS = 10;
const MAX_POLL_MS = 250;
/** How much longer than a job may take its mark stays, for a grader that comes back. */
const MARGIN_MS = 60_000;

/**
 * A job factory of 2017: another program that takes jobs from a list in Redis and pushes job states to a list that each
 * job names. Answers are read where they are, and removed when the job is done, so that none is lost on its way.
 */
export function createJobFactoryEvaluator(config: JobFactoryConfig): Evaluator {
  const { redis: url, namespace } = config.job_factory;
  const timeoutMs = config.timeout_seconds * 1000;
  const running = new Set<Promise<unknown>>();
  let opened: Promise<{ link: ReconnectingConnection; lists: FactoryLists }> | null = null;

  // Loaded for those who have a factory.
  async function open() {
    const { connectionsTo, createReconnectingConnection } = await import("@crowdai/shared/queue/redis");
    const link = createReconnectingConnection({ redis: connectionsTo(url).connect });
    return { link, lists: createFactoryLists(link, namespace, timeoutMs + MARGIN_MS) };
  }

  async function evaluate(job: Evaluation): Promise<Verdict> {
    opened ??= open();
    const factory = await opened.catch((error: Error) => error);
    if (factory instanceof Error)
      return fault("evaluator_crashed", `evaluator.job_factory.redis: ${factory.message}`);
    const { lists } = factory;
    const asked = jobOf(job);
    const until = performance.now() + timeoutMs;
    let newMessages = createNewMessages();
    let pushed = false;
    let lastError: unknown = null;
    for (let pollMs = MIN_POLL_MS; performance.now() < until; pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS)) {
      try {
        // Also when Redis has lost what it had.
        if (!pushed || !(await lists.isPending(job.id))) {
          if (await lists.push(job.id, asked)) newMessages = createNewMessages();
          pushed = true;
        }
        for (const text of newMessages(await lists.said(job.id))) {
          pollMs = MIN_POLL_MS;
          const word = readMessage(text, job.function);
          if (word && "kind" in word) {
            await lists.done(job.id);
            return word;
          }
          if (word) job.onEvent(word);
        }
        lastError = null;
      } catch (error) {
        lastError = error;
      }
      await sleep(Math.min(pollMs, until - performance.now() + 1), undefined, { signal: job.signal }).catch(
        () => {},
      );
      if (job.signal.aborted) {
        await lists.withdraw(job.id, asked).catch(() => {});
        throw job.signal.reason;
      }
    }
    await lists.withdraw(job.id, asked).catch(() => {});
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
        ({ link }) => link.close(),
        () => {},
      );
    },
  };
}

/** A job as factories read it. What is stored as a file is named by its path on the grader's machine. */
function jobOf(job: Evaluation): object {
  const {
    function: name,
    round,
    dry_run,
    input,
  } = JSON.parse(job.line) as {
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
    // Who submitted is not told: the key that stands here is nobody's.
    extra_params: { api_key: "", job_id: job.id, round, dry_run },
  };
}
