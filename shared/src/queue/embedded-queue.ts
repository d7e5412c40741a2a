import { createChallengeQueues } from "./challenge-queues.ts";
import { createEmbeddedReports, whenAborted } from "./embedded-reports.ts";
import type { WaitingJob } from "./fair-queue.ts";
import { attachedGrader, type Consumption, type JobQueue } from "./job-queue.ts";
import { servedQueues } from "./queue-names.ts";

/**
 * How often waiting jobs are rechecked, because nothing announces that a consumer began to serve another
 * challenge.
 */
const RECHECK_MS = 500;
const MIN_BACKOFF_MS = 10;
const MAX_BACKOFF_MS = 1000;

interface RunningJob {
  waiting: WaitingJob;
  abort: AbortController;
}

interface Consumer {
  consumption: Consumption;
  handle: Parameters<JobQueue["consume"]>[1];
  running: number;
  /** Called when the last running job is done. */
  becameIdle: () => void;
  /**
   * Number of jobs returned in succession. Each one lengthens the backoff, so that a failing grader does not
   * spin.
   */
  returnedInARow: number;
  backoffTimer: NodeJS.Timeout | undefined;
}

/**
 * Creates a queue for one process that contains broker and grader: a published job goes to a free consumer
 * immediately. Its contents are lost with the process. A report is delivered once it is in the records, so a
 * stopped consumer leaves none behind.
 */
export function createEmbeddedQueue(): JobQueue {
  const queues = createChallengeQueues();
  const running = new Map<string, RunningJob>();
  const consumers = new Set<Consumer>();
  const reports = createEmbeddedReports();
  const closing = new AbortController();
  let recheck: NodeJS.Timeout | undefined;

  /** Delivers all jobs that can be delivered, one to each consumer in turn. */
  function match(): void {
    for (let found = true; found; ) {
      found = false;
      for (const consumer of [...consumers]) found = deliverOne(consumer) || found;
    }
    if (recheck === undefined && !queues.isEmpty() && [...consumers].some(isFree))
      recheck = setTimeout(() => {
        recheck = undefined;
        match();
      }, RECHECK_MS);
  }

  function deliverOne(consumer: Consumer): boolean {
    const waiting = isFree(consumer) ? queues.take(servedQueues(consumer.consumption)) : null;
    if (!waiting) return false;
    // The consumer served last moves to the end.
    consumers.delete(consumer);
    consumers.add(consumer);
    // Counted first, because a handler may publish, and so re-enter this function, before it returns.
    consumer.running++;
    void run(consumer, waiting).then(() => {
      consumer.running--;
      if (consumer.running === 0) consumer.becameIdle();
      match();
    });
    return true;
  }

  async function run(consumer: Consumer, waiting: WaitingJob): Promise<void> {
    const { job } = waiting;
    const mine: RunningJob = { waiting, abort: new AbortController() };
    running.set(job.submission, mine);
    waiting.delivered++;
    let done = true;
    try {
      await consumer.handle({ job, delivery: waiting.delivered, signal: mine.abort.signal });
    } catch {
      done = false;
    }
    // Cancelled, or replaced by a newer attempt.
    if (running.get(job.submission) !== mine) return;
    running.delete(job.submission);
    consumer.returnedInARow = done ? 0 : consumer.returnedInARow + 1;
    if (done || closing.signal.aborted) return;
    queues.pushFront(waiting);
    if (!consumer.consumption.signal.aborted) backOff(consumer);
  }

  function backOff(consumer: Consumer): void {
    clearTimeout(consumer.backoffTimer);
    const ms = Math.min(MIN_BACKOFF_MS * 2 ** (consumer.returnedInARow - 1), MAX_BACKOFF_MS);
    consumer.backoffTimer = setTimeout(() => {
      consumer.backoffTimer = undefined;
      match();
    }, ms);
  }

  /** Removes a submission's job from the queue, or aborts its delivery. */
  function withdraw(submission: string): void {
    queues.drop(submission);
    const delivered = running.get(submission);
    running.delete(submission);
    delivered?.abort.abort();
  }

  return {
    name: "in this process",

    async publish(job) {
      if (closing.signal.aborted) throw new Error("The queue is closed.");
      const known = queues.find(job.submission) ?? running.get(job.submission)?.waiting;
      if (known && known.job.attempt >= job.attempt) return;
      withdraw(job.submission);
      queues.pushBack({ job, delivered: 0 });
      match();
    },

    async consume(consumption, handle) {
      const { promise: idle, resolve: becameIdle } = Promise.withResolvers<void>();
      const consumer: Consumer = {
        consumption,
        handle,
        running: 0,
        becameIdle: () => {},
        returnedInARow: 0,
        backoffTimer: undefined,
      };
      const stopped = whenAborted(AbortSignal.any([consumption.signal, closing.signal]));
      consumers.add(consumer);
      match();
      await stopped;
      consumers.delete(consumer);
      clearTimeout(consumer.backoffTimer);
      consumer.becameIdle = becameIdle;
      if (consumer.running > 0) await idle;
    },

    report: (report) => reports.add(report),
    receive: (apply, signal) => reports.receive(apply, signal),

    async recover(recovery, signal) {
      const stopped = whenAborted(AbortSignal.any([signal, closing.signal]));
      const reason = "the broker was restarted";
      const known = async (submissions: readonly string[]) =>
        new Set(submissions.filter((one) => queues.find(one) !== null || running.has(one)));
      for (let done = false; !done && !signal.aborted && !closing.signal.aborted; )
        try {
          await recovery.republish(reason);
          await recovery.restart(reason, known);
          done = true;
        } catch {
          await Promise.race([stopped, new Promise((again) => setTimeout(again, RECHECK_MS))]);
        }
      await stopped;
    },

    async cancel(submission) {
      withdraw(submission);
    },

    async attached() {
      return [...consumers]
        .filter(({ consumption }) => !consumption.signal.aborted)
        .map(({ consumption }) => attachedGrader(consumption));
    },

    async close() {
      closing.abort();
      clearTimeout(recheck);
      queues.clear();
      for (const submission of [...running.keys()]) withdraw(submission);
      reports.close();
    },
  };
}

function isFree({ consumption, running, backoffTimer }: Consumer): boolean {
  return !consumption.signal.aborted && backoffTimer === undefined && running < consumption.concurrency;
}
