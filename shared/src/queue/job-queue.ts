import type { Job, Report } from "../protocol/job.ts";

/** A job in a grader's hands. */
export interface Delivery {
  job: Job;
  /** How often this attempt was handed out, from 1. */
  delivery: number;
  /** Aborted when the job was cancelled or is no longer this grader's; what is then reported is refused. */
  signal: AbortSignal;
}

export interface Consumption {
  /** Name of the grader, unique among those attached. */
  grader: string;
  /** Ids of the challenges it serves; asked again before each take, so that a folder may appear later. */
  challenges: () => readonly string[];
  /** Most jobs held at once. A job is never taken before a slot for it is free. */
  concurrency: number;
  /** Aborted to stop: nothing more is taken, jobs in hand go on. */
  signal: AbortSignal;
}

export interface AttachedGrader {
  grader: string;
  challenges: readonly string[];
  concurrency: number;
}

/** What a broker does when the queue lost jobs, or may have. Everything here may run while the queue is used, and more than once. */
export interface Recovery {
  /** Publishes again every job that waits by the records, at the attempt it has. What the queue still knows it passes over. */
  republish(reason: string): Promise<void>;
  /**
   * Called after `republish`, when graders had time to tell the queue again what they have in hand. Gives a new attempt to every
   * submission that is being graded by the records and that `known` does not return: nobody has it.
   */
  restart(
    reason: string,
    known: (submissions: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<void>;
}

/**
 * The job queue: jobs go out to graders, reports come back to brokers.
 *
 * It only delivers. The records are the truth and can rebuild it at any moment, so losing its contents loses nothing.
 * Jobs of one challenge are handed out in the order published; a job is handed out at least once, and again when
 * the grader that held it is gone. Reports of one submission arrive in order, at least once.
 */
export interface JobQueue {
  /** For the start message and the logs, without secrets. */
  readonly name: string;

  /** Puts a job in line. Rejects when the queue cannot take it; the caller then tries again later. */
  publish(job: Job): Promise<void>;

  /**
   * Takes jobs and hands each to `handle`. Resolving acknowledges the job, after which it is never handed out
   * again; rejecting puts it back at the front. The promise settles when `signal` is aborted and every job in hand is done.
   */
  consume(consumption: Consumption, handle: (delivery: Delivery) => Promise<void>): Promise<void>;

  /**
   * Grader to broker. Resolves when the report cannot be lost any more by the grader going away; may reject when it cannot be
   * delivered, and the grader then hands the job back.
   */
  report(report: Report): Promise<void>;

  /**
   * Broker side. `apply` resolves when the report is in the records; a rejection delivers it again. A submission's reports come
   * one after another, in order; a start that the end of its delivery follows within milliseconds may be left out. Settles
   * after abort.
   */
  receive(apply: (report: Report) => Promise<void>, signal: AbortSignal): Promise<void>;

  /**
   * Broker side. Calls `recovery` whenever the queue may have lost what it was given: it was flushed, restarted, or is new. A
   * rejection has it called again. Settles after abort.
   */
  recover(recovery: Recovery, signal: AbortSignal): Promise<void>;

  /** Drops the job if it waits, and aborts its delivery's signal if a grader holds it. */
  cancel(submission: string): Promise<void>;

  /** Graders that are attached now. */
  attached(): Promise<AttachedGrader[]>;

  close(): Promise<void>;
}
