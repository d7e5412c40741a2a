import type { Job, Report } from "../protocol/job.ts";

/** A job delivered to a grader. */
export interface Delivery {
  job: Job;
  /** Number of this delivery of the attempt, starting at 1. */
  delivery: number;
  /**
   * Why the job is not readable: a newer broker may have written it. Return it then, for a newer grader. Only
   * its submission, attempt and challenge are its own.
   */
  unreadable?: string;
  /** Aborted when the job was cancelled or given to another grader. Later reports are refused. */
  signal: AbortSignal;
}

export interface Consumption {
  /** Name of the grader, unique among those attached. */
  grader: string;
  /** Ids of the served challenges. Called before each take, so that a folder may appear later. */
  challenges: () => readonly string[];
  /** Ids of further challenges, of which only sessions are taken: the grader cannot run submitted code. */
  sessions?: () => readonly string[];
  /** Why the grader takes no jobs, for `attached`; null when it does. */
  problem?: () => string | null;
  /** Challenges that the grader has and cannot run, with the reason. */
  unable?: () => Readonly<Record<string, string>>;
  /** The most jobs that run at the same time. A job is taken only when a slot is free. */
  concurrency: number;
  /** Aborted to stop: no more jobs are taken, and running ones continue. */
  signal: AbortSignal;
}

export interface AttachedGrader {
  grader: string;
  challenges: readonly string[];
  /** Challenges of which it takes only sessions; absent when there are none. */
  sessions?: readonly string[];
  concurrency: number;
  /** Why it takes no jobs; absent when it does. */
  problem?: string;
  /** Why it cannot run challenges that it has, by their id; absent when it can run all. */
  unable?: Readonly<Record<string, string>>;
}

/** Returns what `attached` says about a consumer. */
export function attachedGrader(consumption: Consumption): AttachedGrader {
  const { grader, challenges, concurrency } = consumption;
  const problem = consumption.problem?.() ?? null;
  const unable = consumption.unable?.() ?? {};
  const sessions = consumption.sessions?.() ?? [];
  return {
    ...{ grader, challenges: [...challenges()], concurrency },
    ...(sessions.length === 0 ? {} : { sessions: [...sessions] }),
    ...(problem === null ? {} : { problem }),
    ...(Object.keys(unable).length === 0 ? {} : { unable }),
  };
}

/**
 * How a broker restores a queue that may have lost jobs. Both steps may run while the queue is in use, and
 * more than once.
 */
export interface Recovery {
  /**
   * Re-publishes every job that is waiting according to the records, with its attempt. The queue ignores jobs
   * it still has.
   */
  republish(reason: string): Promise<void>;
  /**
   * Called after `republish`, when graders have had time to report their running jobs to the queue again.
   * Starts a new attempt for every submission that is being graded according to the records, but is not
   * returned by `known`: no grader has it.
   */
  restart(
    reason: string,
    known: (submissions: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<void>;
}

/**
 * The job queue delivers jobs to graders, and reports to brokers.
 *
 * The records are the source of truth and can rebuild the queue at any time, so a loss of its contents loses
 * nothing. Each job is delivered at least once, and again when its grader is gone. The sessions of a
 * challenge wait apart from its other jobs, because some graders take only sessions. In each of these queues,
 * jobs with the same fair key keep the order of publishing, and different fair keys take turns: each free
 * slot serves the key that was served least recently, so a key with many waiting jobs delays the first job of
 * another by at most one job per grader. Reports of one submission arrive in order, each at least once.
 */
export interface JobQueue {
  /** For the start message and the logs, without secrets. */
  readonly name: string;

  /** Enqueues a job. Rejects when the queue cannot accept it; the caller then retries later. */
  publish(job: Job): Promise<void>;

  /**
   * Takes jobs and passes each to `handle`. If that resolves, the job is acknowledged and never delivered
   * again. If it rejects, the job returns to the front of the queue. The promise settles when `signal` is
   * aborted and every running job is done.
   */
  consume(consumption: Consumption, handle: (delivery: Delivery) => Promise<void>): Promise<void>;

  /**
   * Grader side. Resolves when the report is safe even if the grader dies. May reject when it cannot be
   * delivered; the grader then returns the job to the queue.
   */
  report(report: Report): Promise<void>;

  /**
   * Broker side. `apply` resolves when the report is in the records; if it rejects, the report is delivered
   * again. A submission's reports arrive one after another, in order. A start may be omitted when the end
   * follows within milliseconds. Settles after abort.
   */
  receive(apply: (report: Report) => Promise<void>, signal: AbortSignal): Promise<void>;

  /**
   * Broker side. Calls `recovery` whenever the queue may have lost jobs: it was flushed, restarted, or is
   * new. Calls it again after a rejection. Settles after abort.
   */
  recover(recovery: Recovery, signal: AbortSignal): Promise<void>;

  /** Removes the job if it is waiting, and aborts the signal of its delivery if it is running. */
  cancel(submission: string): Promise<void>;

  /** Returns the graders that are currently attached. */
  attached(): Promise<AttachedGrader[]>;

  close(): Promise<void>;
}
