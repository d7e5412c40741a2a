import { createChallengeQueues, type WaitingJob } from "./challenge-queues.ts";
import { createEmbeddedReports, whenAborted } from "./embedded-reports.ts";
import type { Consumption, JobQueue } from "./job-queue.ts";

/** How soon a job is found whose challenge a consumer began to serve after it was published: nothing announces that. */
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
  /** Called when the last job in hand is done. */
  becameIdle: () => void;
  /** Jobs handed back in a row; after each it rests for longer, so that a grader that can do nothing does not spin. */
  returnedInARow: number;
  rest: NodeJS.Timeout | null;
}

/**
 * The queue inside one process, which broker and grader share: publishing hands a job to a free consumer at once. What it holds
 * ends with the process. A report is delivered when the records have it, so a consumer that has ended leaves none behind.
 */
export function createEmbeddedQueue(): JobQueue {
  const queues = createChallengeQueues();
  const held = new Map<string, RunningJob>();
  const consumers = new Set<Consumer>();
  const reports = createEmbeddedReports();
  const closing = new AbortController();
  let recheck: NodeJS.Timeout | null = null;

  /** Hands out what can be handed out, one job to each consumer in turn. */
  function match(): void {
    for (let found = true; found; ) {
      found = false;
      for (const consumer of [...consumers]) found = deliverOne(consumer) || found;
    }
    if (recheck === null && !queues.isEmpty() && [...consumers].some(isFree))
      recheck = setTimeout(() => {
        recheck = null;
        match();
      }, RECHECK_MS);
  }

  function deliverOne(consumer: Consumer): boolean {
    const waiting = isFree(consumer) ? queues.take(consumer.consumption.challenges()) : null;
    if (!waiting) return false;
    // Whoever was served last comes last.
    if (consumers.delete(consumer)) consumers.add(consumer);
    // Counted before it is handed over: a handler may publish, and so come back here, before it returns.
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
    held.set(job.submission, mine);
    waiting.delivered++;
    let done = true;
    try {
      await consumer.handle({ job, delivery: waiting.delivered, signal: mine.abort.signal });
    } catch {
      done = false;
    }
    // Cancelled, or replaced by a newer attempt: nobody's any more.
    if (held.get(job.submission) !== mine) return;
    held.delete(job.submission);
    consumer.returnedInARow = done ? 0 : consumer.returnedInARow + 1;
    if (done || closing.signal.aborted) return;
    queues.pushFront(waiting);
    if (!consumer.consumption.signal.aborted) backOff(consumer);
  }

  function backOff(consumer: Consumer): void {
    if (consumer.rest) clearTimeout(consumer.rest);
    const ms = Math.min(MIN_BACKOFF_MS * 2 ** (consumer.returnedInARow - 1), MAX_BACKOFF_MS);
    consumer.rest = setTimeout(() => {
      consumer.rest = null;
      match();
    }, ms);
  }

  /** Takes a submission's job out of its line, or out of the hands of its grader. */
  function withdraw(submission: string): void {
    queues.drop(submission);
    const running = held.get(submission);
    held.delete(submission);
    running?.abort.abort();
  }

  return {
    name: "in this process",

    async publish(job) {
      if (closing.signal.aborted) throw new Error("The queue was closed.");
      const known = queues.find(job.submission) ?? held.get(job.submission)?.waiting;
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
        rest: null,
      };
      const stopped = whenAborted(AbortSignal.any([consumption.signal, closing.signal]));
      consumers.add(consumer);
      match();
      await stopped;
      consumers.delete(consumer);
      if (consumer.rest) clearTimeout(consumer.rest);
      consumer.becameIdle = becameIdle;
      if (consumer.running > 0) await idle;
    },

    report: (report) => reports.add(report),
    receive: (apply, signal) => reports.receive(apply, signal),

    async recover(recovery, signal) {
      const stopped = whenAborted(AbortSignal.any([signal, closing.signal]));
      const reason = "the broker was restarted";
      const known = async (submissions: readonly string[]) =>
        new Set(submissions.filter((one) => queues.find(one) !== null || held.has(one)));
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
        .map(({ consumption: { grader, challenges, concurrency } }) => ({
          grader,
          challenges: [...challenges()],
          concurrency,
        }));
    },

    async close() {
      closing.abort();
      if (recheck) clearTimeout(recheck);
      queues.clear();
      for (const submission of [...held.keys()]) withdraw(submission);
      reports.close();
    },
  };
}

function isFree({ consumption, running, rest }: Consumer): boolean {
  return !consumption.signal.aborted && rest === null && running < consumption.concurrency;
}
