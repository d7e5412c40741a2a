import type { Consumption, JobQueue } from "../job-queue.ts";
import { createWaitingLines, type WaitingJob } from "./challenge-queues.ts";
import { abortOf, createReportLanes } from "./embedded-reports.ts";

/** How soon a job is found whose challenge a consumer began to serve after it was published: nothing announces that. */
const LOOK_AGAIN_MS = 500;
const FIRST_REST_MS = 10;
const LONGEST_REST_MS = 1000;

interface Held {
  waiting: WaitingJob;
  abort: AbortController;
}

interface Consumer {
  consumption: Consumption;
  handle: Parameters<JobQueue["consume"]>[1];
  inHand: number;
  /** Called when the last job in hand is done. */
  becameIdle: () => void;
  /** Jobs handed back in a row; after each it rests for longer, so that a grader that can do nothing does not spin. */
  handedBack: number;
  rest: NodeJS.Timeout | null;
}

/**
 * The queue inside one process, which broker and grader share: publishing hands a job to a free consumer at once. What it holds
 * ends with the process. A report is delivered when the records have it, so a consumer that has ended leaves none behind.
 */
export function createEmbeddedQueue(): JobQueue {
  const lines = createWaitingLines();
  const held = new Map<string, Held>();
  const consumers = new Set<Consumer>();
  const reports = createReportLanes();
  const closing = new AbortController();
  let lookAgain: NodeJS.Timeout | null = null;

  /** Hands out what can be handed out, one job to each consumer in turn. */
  function match(): void {
    for (let found = true; found; ) {
      found = false;
      for (const consumer of [...consumers]) found = giveOne(consumer) || found;
    }
    if (lookAgain === null && !lines.isEmpty() && [...consumers].some(isFree))
      lookAgain = setTimeout(() => {
        lookAgain = null;
        match();
      }, LOOK_AGAIN_MS);
  }

  function giveOne(consumer: Consumer): boolean {
    const waiting = isFree(consumer) ? lines.take(consumer.consumption.challenges()) : null;
    if (!waiting) return false;
    // Whoever was served last comes last.
    if (consumers.delete(consumer)) consumers.add(consumer);
    // Counted before it is handed over: a handler may publish, and so come back here, before it returns.
    consumer.inHand++;
    void run(consumer, waiting).then(() => {
      consumer.inHand--;
      if (consumer.inHand === 0) consumer.becameIdle();
      match();
    });
    return true;
  }

  async function run(consumer: Consumer, waiting: WaitingJob): Promise<void> {
    const { job } = waiting;
    const mine: Held = { waiting, abort: new AbortController() };
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
    consumer.handedBack = done ? 0 : consumer.handedBack + 1;
    if (done || closing.signal.aborted) return;
    lines.toFront(waiting);
    if (!consumer.consumption.signal.aborted) takeRest(consumer);
  }

  function takeRest(consumer: Consumer): void {
    if (consumer.rest) clearTimeout(consumer.rest);
    const ms = Math.min(FIRST_REST_MS * 2 ** (consumer.handedBack - 1), LONGEST_REST_MS);
    consumer.rest = setTimeout(() => {
      consumer.rest = null;
      match();
    }, ms);
  }

  /** Takes a submission's job out of its line, or out of the hands of its grader. */
  function withdraw(submission: string): void {
    lines.drop(submission);
    const inHand = held.get(submission);
    held.delete(submission);
    inHand?.abort.abort();
  }

  return {
    name: "in this process",

    async publish(job) {
      if (closing.signal.aborted) throw new Error("The queue was closed.");
      const known = lines.find(job.submission) ?? held.get(job.submission)?.waiting;
      if (known && known.job.attempt >= job.attempt) return;
      withdraw(job.submission);
      lines.toEnd({ job, delivered: 0 });
      match();
    },

    async consume(consumption, handle) {
      const { promise: idle, resolve: becameIdle } = Promise.withResolvers<void>();
      const consumer: Consumer = {
        consumption,
        handle,
        inHand: 0,
        becameIdle: () => {},
        handedBack: 0,
        rest: null,
      };
      const stopped = abortOf(AbortSignal.any([consumption.signal, closing.signal]));
      consumers.add(consumer);
      match();
      await stopped;
      consumers.delete(consumer);
      if (consumer.rest) clearTimeout(consumer.rest);
      consumer.becameIdle = becameIdle;
      if (consumer.inHand > 0) await idle;
    },

    report: (report) => reports.add(report),
    receive: (apply, signal) => reports.receive(apply, signal),

    async recover(recovery, signal) {
      const stopped = abortOf(AbortSignal.any([signal, closing.signal]));
      const reason = "the broker was restarted";
      const known = async (submissions: readonly string[]) =>
        new Set(submissions.filter((one) => lines.find(one) !== null || held.has(one)));
      for (let done = false; !done && !signal.aborted && !closing.signal.aborted; )
        try {
          await recovery.republish(reason);
          await recovery.restart(reason, known);
          done = true;
        } catch {
          await Promise.race([stopped, new Promise((again) => setTimeout(again, LOOK_AGAIN_MS))]);
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
      if (lookAgain) clearTimeout(lookAgain);
      lines.clear();
      for (const submission of [...held.keys()]) withdraw(submission);
      reports.close();
    },
  };
}

function isFree({ consumption, inHand, rest }: Consumer): boolean {
  return !consumption.signal.aborted && rest === null && inHand < consumption.concurrency;
}
