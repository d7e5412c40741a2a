import { z } from "zod";
import { parseExact } from "../../protocol/exact-json.ts";
import { type Job, jobNameSchema, jobSchema } from "../../protocol/job.ts";
import type { Delivery } from "../job-queue.ts";

/** A job of a consumer, until Redis knows how it ended. */
export interface RunningJob {
  challenge: string;
  /** Id of its entry, which changes when the queue loses the job and it is added again. */
  id: string;
  text: string;
  job: Job;
  /** See Delivery. */
  unreadable?: string;
  delivery: number;
  abort: AbortController;
  /** How the job ended here, to be reported to Redis with the next exchange. */
  settled: "done" | "returned" | null;
}

/** A taken job in a reply. */
export type TakenReply = [challenge: string, id: string, delivery: number, text: string];

export interface RunningJobs {
  add(reply: TakenReply): RunningJob | null;
  remove(job: RunningJob): void;
  /** Adds a removed job again whose entry has changed, to be settled under its new one. */
  restore(job: RunningJob): void;
  all(): RunningJob[];
  has(id: string): boolean;
  /**
   * Aborts the jobs of a submission up to an attempt. Redis may have an entry of them again, which counts as
   * done.
   */
  withdraw(submission: string, attempt: number): void;
  withdrawAll(): void;
}

export function createRunningJobs(): RunningJobs {
  const jobs = new Set<RunningJob>();
  return {
    add([challenge, id, delivery, text]) {
      if (this.has(id)) return null;
      const one: RunningJob = {
        challenge,
        id,
        text,
        ...readJob(text),
        delivery,
        abort: new AbortController(),
        settled: null,
      };
      jobs.add(one);
      return one;
    },
    remove: (one) => {
      jobs.delete(one);
    },
    restore(one) {
      one.settled ??= "returned";
      jobs.add(one);
    },
    all: () => [...jobs],
    has: (id) => [...jobs].some((one) => one.id === id),
    withdraw(submission, attempt) {
      for (const one of jobs)
        if (one.job.submission === submission && one.job.attempt <= attempt) {
          one.settled = "done";
          one.abort.abort();
        }
    },
    withdrawAll() {
      for (const one of jobs) one.abort.abort();
      jobs.clear();
    },
  };
}

/** Throws for a text that does not even name a job. */
function readJob(text: string): Pick<RunningJob, "job" | "unreadable"> {
  const value = parseExact(text, "data");
  const read = jobSchema.safeParse(value);
  if (read.success) return { job: read.data };
  const nothing = { function: "", round: 1, dry_run: false, code: null, version: null } as const;
  const job: Job = { ...nothing, input: { kind: "inline", data: null }, ...jobNameSchema.parse(value) };
  return { job, unreadable: z.prettifyError(read.error) };
}

export function deliveryOf({ job, unreadable, delivery, abort }: RunningJob): Delivery {
  const one: Delivery = { job, delivery, signal: abort.signal };
  return unreadable === undefined ? one : { ...one, unreadable };
}
