import type { Report } from "../protocol/job.ts";
import { pause } from "./pause.ts";
import { delayStart, type SubmissionReports, takeRedundantStart } from "./start-reports.ts";

type Apply = (report: Report) => Promise<void>;

interface Pending {
  report: Report;
  applied: () => void;
  failed: (error: Error) => void;
  tries: number;
}

interface Receiver {
  apply: Apply;
  applying: Set<Promise<void>>;
}

const MIN_RETRY_MS = 10;
const MAX_RETRY_MS = 1000;
/** Several seconds, because the records may be busy. After that the grader returns the job to the queue. */
const MAX_TRIES = 12;

/**
 * The reports sent to brokers, in one queue per submission: each keeps its order, and none waits for another.
 */
export interface EmbeddedReports {
  /** Resolves when a receiver has applied it. */
  add(report: Report): Promise<void>;
  receive(apply: Apply, signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createEmbeddedReports(): EmbeddedReports {
  const queues = new Map<string, SubmissionReports<Pending>>();
  const busy = new Set<string>();
  const receivers = new Set<Receiver>();
  const closing = new AbortController();

  async function work(submission: string, queue: SubmissionReports<Pending>): Promise<void> {
    const { items } = queue;
    busy.add(submission);
    let retryAfter = MIN_RETRY_MS;
    for (let first = items[0]; first; first = items[0]) {
      await delayStart(queue);
      const redundant = takeRedundantStart(queue);
      if (redundant) {
        redundant.applied();
        continue;
      }
      const [receiver] = receivers;
      if (!receiver) break;
      try {
        await applyBy(receiver, first.report);
        items.shift();
        first.applied();
        retryAfter = MIN_RETRY_MS;
      } catch (error) {
        // A report that always fails is rejected to its grader, which returns the job to the queue.
        if (++first.tries === MAX_TRIES) {
          items.shift();
          first.failed(error as Error);
          continue;
        }
        // Moves the receiver to the end, so that another one gets the next attempt.
        if (receivers.delete(receiver)) receivers.add(receiver);
        await pause(retryAfter, closing.signal);
        retryAfter = Math.min(retryAfter * 2, MAX_RETRY_MS);
      }
    }
    busy.delete(submission);
    if (items.length === 0) queues.delete(submission);
  }

  function start(): void {
    for (const [submission, queue] of queues) if (!busy.has(submission)) void work(submission, queue);
  }

  return {
    add(report) {
      if (closing.signal.aborted) return Promise.reject(closed());
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const queue = queues.get(report.submission) ?? { items: [], wake() {} };
      queues.set(report.submission, queue);
      queue.items.push({ report, applied: resolve, failed: reject, tries: 0 });
      queue.wake();
      if (!busy.has(report.submission)) void work(report.submission, queue);
      return promise;
    },

    async receive(apply, signal) {
      const receiver: Receiver = { apply, applying: new Set() };
      const stopping = AbortSignal.any([signal, closing.signal]);
      if (!stopping.aborted) receivers.add(receiver);
      start();
      await whenAborted(stopping);
      receivers.delete(receiver);
      // The caller may close the records only when the outcome of every write is known.
      await Promise.allSettled(receiver.applying);
    },

    close() {
      closing.abort();
      for (const queue of queues.values()) for (const { failed } of queue.items.splice(0)) failed(closed());
    },
  };
}

async function applyBy(receiver: Receiver, report: Report): Promise<void> {
  const applying = (async () => receiver.apply(report))();
  receiver.applying.add(applying);
  try {
    await applying;
  } finally {
    receiver.applying.delete(applying);
  }
}

const closed = () => new Error("The queue is closed.");

/** Resolves once the signal is aborted, immediately when it already is. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}
