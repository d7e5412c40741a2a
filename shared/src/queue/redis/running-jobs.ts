import { type Job, jobSchema } from "../../protocol/job.ts";
import type { Delivery } from "../job-queue.ts";

/** A job that a consumer has in hand, until Redis knows what became of it. */
export interface RunningJob {
  challenge: string;
  /** Its entry; another one after the queue lost it and it was added again. */
  id: string;
  text: string;
  job: Job;
  delivery: number;
  abort: AbortController;
  /** What became of it here: to be told to Redis with the next exchange. */
  settled: "done" | "handed back" | null;
}

/** The reply's challenge, entry, number of the delivery, and text. */
export type TakenReply = [challenge: string, id: string, delivery: number, text: string];

export interface RunningJobs {
  add(reply: TakenReply): RunningJob | null;
  remove(held: RunningJob): void;
  all(): RunningJob[];
  has(id: string): boolean;
  /** Aborts what is held of a submission, up to an attempt. It is nobody's here any more. */
  withdraw(submission: string, attempt: number): void;
  withdrawAll(): void;
}

export function createRunningJobs(): RunningJobs {
  const held = new Set<RunningJob>();
  const abort = (one: RunningJob) => {
    held.delete(one);
    one.abort.abort();
  };
  return {
    add([challenge, id, delivery, text]) {
      if (this.has(id)) return null;
      const job = jobSchema.parse(JSON.parse(text));
      const one: RunningJob = {
        challenge,
        id,
        text,
        job,
        delivery,
        abort: new AbortController(),
        settled: null,
      };
      held.add(one);
      return one;
    },
    remove: (one) => {
      held.delete(one);
    },
    all: () => [...held],
    has: (id) => [...held].some((one) => one.id === id),
    withdraw(submission, attempt) {
      for (const one of [...held])
        if (one.job.submission === submission && one.job.attempt <= attempt) abort(one);
    },
    withdrawAll() {
      for (const one of [...held]) abort(one);
    },
  };
}

export function deliveryOf({ job, delivery, abort }: RunningJob): Delivery {
  return { job, delivery, signal: abort.signal };
}
