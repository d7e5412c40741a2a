import type { Consumption, Delivery, JobQueue } from "../job-queue.ts";
import { within } from "./wait-until.ts";

export type Handle = (delivery: Delivery) => Promise<void>;

export interface Taken {
  id: string;
  delivery: Delivery;
  acknowledge(): void;
  returnToQueue(): void;
}

/** A grader whose jobs are controlled by the test. */
export interface Grader {
  /** Resolves with the next taken job, which the test acknowledges or returns. */
  next(): Promise<Taken>;
  onTake(listener: (taken: Taken) => void): void;
  seen(): string[];
  maxRunning(): number;
  /** Stops taking jobs. Resolves when consuming has ended. */
  abort(): Promise<void>;
  /** Returns all jobs and stops. */
  stop(): Promise<void>;
  ended: Promise<void>;
}

export function createTestGrader(
  queue: JobQueue,
  options: Partial<Consumption> & { handle?: Handle },
): Grader {
  const stopping = new AbortController();
  const seen: string[] = [];
  const unread: Taken[] = [];
  const open = new Set<Taken>();
  const waiting: ((taken: Taken) => void)[] = [];
  let listener: ((taken: Taken) => void) | null = null;
  let released = false;
  let most = 0;

  const offer: Handle = (delivery) => {
    if (released) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const taken: Taken = {
      id: delivery.job.submission,
      delivery,
      acknowledge() {
        open.delete(taken);
        resolve();
      },
      returnToQueue() {
        open.delete(taken);
        reject(new Error("returned"));
      },
    };
    open.add(taken);
    most = Math.max(most, open.size);
    const reader = waiting.shift();
    if (reader) reader(taken);
    else if (listener) listener(taken);
    else unread.push(taken);
    return promise;
  };

  const ended = queue.consume(
    {
      grader: "grader",
      challenges: () => ["iris"],
      concurrency: 1,
      ...options,
      signal: stopping.signal,
    },
    (delivery) => {
      seen.push(delivery.job.submission);
      return (options.handle ?? offer)(delivery);
    },
  );

  return {
    next() {
      const taken = unread.shift();
      return taken
        ? Promise.resolve(taken)
        : within(new Promise((resolve) => waiting.push(resolve)), "no job came");
    },
    onTake(take) {
      listener = take;
      // A queue may have delivered some already.
      for (const taken of unread.splice(0)) take(taken);
    },
    seen: () => [...seen],
    maxRunning: () => most,
    abort() {
      stopping.abort();
      return ended;
    },
    stop() {
      released = true;
      stopping.abort();
      for (const taken of [...open]) taken.acknowledge();
      return within(ended, "the grader did not stop");
    },
    ended,
  };
}
