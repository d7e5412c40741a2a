import type { Job, Report } from "../protocol/job.ts";
import type { Consumption, Delivery, JobQueue } from "./job-queue.ts";

/** How often a consumer looks again by itself: a challenge it has begun to serve may have jobs waiting. */
const LOOK_AGAIN_MS = 500;
const RETRY_MS = 100;
const MOST_TRIES = 100;

interface Waiting {
  job: Job;
  /** How often the attempt was handed out before. */
  delivered: number;
}

interface Consumer extends Consumption {
  held: Map<string, { attempt: number; abort: AbortController }>;
  take(): void;
}

/** The queue inside one process: broker and grader share it. Its contents end with the process; the records rebuild it. */
export function createEmbeddedQueue(): JobQueue {
  const lines = new Map<string, Waiting[]>();
  const consumers = new Set<Consumer>();
  const reports: { report: Report; done: () => void; failed: (error: unknown) => void; tries: number }[] = [];
  let receiver: ((report: Report) => Promise<void>) | null = null;
  let delivering = false;
  let nextLine = 0;

  const isHeld = (submission: string, attempt: number) =>
    [...consumers].some(({ held }) => (held.get(submission)?.attempt ?? -1) >= attempt);

  /** Takes the next job of the challenges served, turning from challenge to challenge so that none starves. */
  function next(challenges: readonly string[]): Waiting | undefined {
    for (let i = 0; i < challenges.length; i++) {
      const line = lines.get(challenges[(nextLine + i) % challenges.length] as string);
      const first = line?.shift();
      if (!first) continue;
      nextLine = (nextLine + i + 1) % challenges.length;
      return first;
    }
    return undefined;
  }

  function lineOf(challenge: string): Waiting[] {
    const line = lines.get(challenge) ?? [];
    lines.set(challenge, line);
    return line;
  }

  function drop(submission: string): void {
    for (const line of lines.values()) {
      const at = line.findIndex(({ job }) => job.submission === submission);
      if (at >= 0) line.splice(at, 1);
    }
  }

  function wake(): void {
    for (const consumer of consumers) consumer.take();
  }

  async function deliverReports(): Promise<void> {
    if (delivering) return;
    delivering = true;
    // One at a time: the reports of a job mean something only in their order.
    for (let first = reports[0]; first && receiver; first = reports[0]) {
      try {
        await receiver(first.report);
        reports.shift();
        first.done();
      } catch (error) {
        // Tried again, since the records may be busy; but one that can never be applied must not block the others.
        if (++first.tries < MOST_TRIES) await new Promise((again) => setTimeout(again, RETRY_MS));
        else reports.shift()?.failed(error);
      }
    }
    delivering = false;
  }

  return {
    name: "in this process",

    async publish(job) {
      const line = lineOf(job.challenge);
      const same = line.find((waiting) => waiting.job.submission === job.submission);
      if (isHeld(job.submission, job.attempt) || (same && same.job.attempt >= job.attempt)) return;
      drop(job.submission);
      for (const { held } of consumers) held.get(job.submission)?.abort.abort();
      line.push({ job, delivered: 0 });
      wake();
    },

    async consume(consumption, handle) {
      const running = new Set<Promise<void>>();
      const { promise: idle, resolve: becameIdle } = Promise.withResolvers<void>();
      const consumer: Consumer = {
        ...consumption,
        held: new Map(),
        take() {
          while (!consumption.signal.aborted && running.size < consumption.concurrency) {
            const waiting = next(consumption.challenges());
            if (!waiting) return;
            const work = run(waiting).finally(() => {
              running.delete(work);
              if (consumption.signal.aborted && running.size === 0) becameIdle();
              consumer.take();
            });
            running.add(work);
          }
        },
      };
      async function run({ job, delivered }: Waiting): Promise<void> {
        const abort = new AbortController();
        const mine = { attempt: job.attempt, abort };
        consumer.held.set(job.submission, mine);
        const delivery: Delivery = { job, delivery: delivered + 1, signal: abort.signal };
        try {
          await handle(delivery);
          release();
        } catch {
          release();
          if (abort.signal.aborted) return;
          lineOf(job.challenge).unshift({ job, delivered: delivered + 1 });
          queueMicrotask(wake);
        }
        function release() {
          if (consumer.held.get(job.submission) === mine) consumer.held.delete(job.submission);
        }
      }
      consumers.add(consumer);
      const timer = setInterval(consumer.take, LOOK_AGAIN_MS);
      const stop = () => {
        if (running.size === 0) becameIdle();
      };
      consumption.signal.addEventListener("abort", stop, { once: true });
      if (consumption.signal.aborted) stop();
      consumer.take();
      await idle;
      clearInterval(timer);
      consumers.delete(consumer);
    },

    report(report) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      reports.push({ report, done: resolve, failed: reject, tries: 0 });
      void deliverReports();
      return promise;
    },

    async receive(apply, signal) {
      const { promise: stopped, resolve } = Promise.withResolvers<void>();
      let busy: Promise<void> = Promise.resolve();
      receiver = (report) => {
        busy = apply(report);
        return busy;
      };
      void deliverReports();
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
      await stopped;
      receiver = null;
      await busy.catch(() => {});
    },

    async cancel(submission) {
      drop(submission);
      for (const { held } of consumers) held.get(submission)?.abort.abort();
    },

    async attached() {
      return [...consumers]
        .filter(({ signal }) => !signal.aborted)
        .map(({ grader, challenges, concurrency }) => ({ grader, challenges: challenges(), concurrency }));
    },

    async close() {
      receiver = null;
      lines.clear();
      for (const { failed } of reports.splice(0)) failed(new Error("the queue was closed"));
    },
  };
}
